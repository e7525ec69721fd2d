using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>Bytes that came damaged are an error once; nobody keeps them, and the next attempt has them from where they come.</summary>
public sealed class DamageInTransitTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_AnythingCameDamagedOnce_IsRightTheSecondTime(bool cached)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        string folder = Directory.CreateTempSubdirectory("faultline-damage-").FullName;
        try
        {
            byte[] contents = new byte[256 << 10];
            new Random(4).NextBytes(contents);
            string path = Path.Combine(folder, "image.flt");
            ImageWriterOptions options = new() { ChunkBytes = 16 << 10 };
            await ImageBuilder.CreateAsync(new MemoryPageStore(contents), path, options, cancellationToken: cancellation);
            DamagingStore source = new(await File.ReadAllBytesAsync(path, cancellation));
            using BlockCache cache = new(Path.Combine(folder, "cache"));
            IPageStore file = cached ? new CachedPageStore(source, cache, "damage", 4096) : source;
            using ImagePageStore image = await ImagePageStore.OpenAsync(file, "image", cancellationToken: cancellation);
            byte[] page = new byte[4096];
            List<int> failed = [];
            for (int offset = 0; offset < contents.Length; offset += page.Length)
            {
                source.IsDamaging = true;
                StoreRead first = await image.ReadAsync((ulong)offset, page, cancellation);
                source.IsDamaging = false;
                if (!first.IsOk)
                {
                    Assert.IsType<ImageFormatException>(first.Cause);
                    failed.Add(offset);
                    Assert.True((await image.ReadAsync((ulong)offset, page, cancellation)).IsOk, $"The second attempt at {offset} failed.");
                }

                Assert.True(page.AsSpan().SequenceEqual(contents.AsSpan(offset, page.Length)), $"The bytes at {offset} are others.");
            }

            // The index and the first chunk were damaged at the first read of all, and every chunk once afterwards.
            Assert.InRange(failed.Count, 8, 64);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Turns a bit in the middle of whatever is read while it is to do damage.</summary>
    private sealed class DamagingStore(byte[] contents) : IPageStore
    {
        public bool IsDamaging { get; set; }

        public ulong Length => (ulong)contents.Length;

        public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
        {
            contents.AsSpan((int)offset, target.Length).CopyTo(target.Span);
            if (IsDamaging)
            {
                target.Span[target.Length / 2] ^= 4;
            }

            return new(StoreRead.Of(target.Length));
        }

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}
