using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>Whole images are read with several reads under way: the same bytes, the same errors, never more than the store works on.</summary>
public sealed class BlockReadsTests : IDisposable
{
    private const int Length = (12 << 20) + 777;

    private readonly TestFolder _folder = new();
    private readonly byte[] _contents = Sample.Bytes(Length);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Create_FromALateStore_ReadsAsManyAtOnceAsItTakes(int readsAtOnce)
    {
        using var store = new LateStore(_contents, readsAtOnce);
        ImageWritten written = await ImageBuilder.CreateAsync(store, _folder.File("image.flt"), new ImageWriterOptions());
        Assert.Equal(readsAtOnce, store.MostAtOnce);
        ImageWritten same = await ImageBuilder.CreateAsync(new MemoryPageStore(_contents), _folder.File("same.flt"), new ImageWriterOptions());
        Assert.Equal(same.Digest, written.Digest);
        Assert.Equal(await File.ReadAllBytesAsync(_folder.File("same.flt")), await File.ReadAllBytesAsync(_folder.File("image.flt")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Extract_FromALateStore_ReadsAsManyAtOnceAsItTakes(int readsAtOnce)
    {
        using var store = new LateStore(_contents, readsAtOnce);
        ulong last = 0;
        var progress = new Noted(value =>
        {
            Assert.InRange(value.Done, last + 1, (ulong)Length);
            last = value.Done;
        });
        await ImageBuilder.ExtractAsync(store, _folder.File("plain"), progress);
        Assert.Equal(readsAtOnce, store.MostAtOnce);
        Assert.Equal((ulong)Length, last);
        Reading.AssertSame(_contents, await File.ReadAllBytesAsync(_folder.File("plain")));
    }

    [Fact]
    public async Task Verify_DamageInTwoPlaces_FindsBothAndNothingElse()
    {
        await ImageBuilder.CreateAsync(new MemoryPageStore(_contents), _folder.File("image.flt"), new ImageWriterOptions { Compression = ImageCompression.None });
        byte[] file = await File.ReadAllBytesAsync(_folder.File("image.flt"));

        // The first random piece is that of chunk 0; chunks follow each other in the file as they do in the image, but for equal and zero ones.
        file[100] ^= 1;
        file[4 << 20] ^= 1;
        using ImagePageStore image = await ImagePageStore.OpenAsync(new LateStore(file, 4), "image");
        ImageDamage[] damages = [.. await ImageSurvey.VerifyAsync(image, image.ChunkBytes)];
        Assert.Equal(2, damages.Length);
        Assert.Equal(0UL, damages[0].Offset);
        Assert.True(damages[1].Offset > damages[0].Offset);
        Assert.All(damages, damage => Assert.Equal((ulong)image.ChunkBytes, damage.Length));
    }

    [Theory]
    [InlineData("create")]
    [InlineData("extract")]
    public async Task Read_FailsInTheMiddle_LeavesNothingAndReadsNoMore(string what)
    {
        using var store = new LateStore(_contents, 4) { FailsFrom = 5 << 20 };
        IOException failed = await Assert.ThrowsAnyAsync<IOException>(() => what == "create"
            ? ImageBuilder.CreateAsync(store, _folder.File("target"), new ImageWriterOptions())
            : ImageBuilder.ExtractAsync(store, _folder.File("target")));
        Assert.NotEmpty(failed.Message);
        Assert.Equal(0, store.AtOnce);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task Create_Cancelled_LeavesNothingAndReadsNoMore()
    {
        using var source = new CancellationTokenSource();
        using var store = new LateStore(_contents, 4);
        var progress = new Noted(_ => source.Cancel());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => ImageBuilder.CreateAsync(store, _folder.File("target"), new ImageWriterOptions(), progress, source.Token));
        Assert.Equal(0, store.AtOnce);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    /// <summary>Tells on the thread that reports.</summary>
    private sealed class Noted(Action<ImageProgress> note) : IProgress<ImageProgress>
    {
        public void Report(ImageProgress value) => note(value);
    }

    /// <summary>Answers 20 ms later, and counts how many wait for it. It fails from an offset on, if it is to, and gives no wrong byte.</summary>
    private sealed class LateStore(byte[] contents, int readsAtOnce) : IPageStore
    {
        private readonly Lock _lock = new();

        public ulong FailsFrom { get; init; } = ulong.MaxValue;

        public int AtOnce { get; private set; }

        public int MostAtOnce { get; private set; }

        public ulong Length => (ulong)contents.Length;

        public int ReadsAtOnce => readsAtOnce;

        public async ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
        {
            lock (_lock)
            {
                AtOnce++;
                MostAtOnce = Math.Max(MostAtOnce, AtOnce);
            }

            try
            {
                await Task.Delay(20, CancellationToken.None);
                if (offset + (ulong)target.Length > FailsFrom)
                {
                    return StoreRead.Failed(new IOException("The test's network is down."));
                }

                contents.AsMemory((int)offset, target.Length).CopyTo(target);
                return StoreRead.Of(target.Length);
            }
            finally
            {
                lock (_lock)
                {
                    AtOnce--;
                }
            }
        }

        public void Dispose()
        {
            // The bytes are the test's.
        }
    }
}
