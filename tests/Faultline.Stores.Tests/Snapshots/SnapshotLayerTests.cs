using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>Snapshots of memory that is written to, as a chain of layers: each is what the memory was, and small; and so is what flattens them.</summary>
public abstract class SnapshotLayerTests(IMemoryEngine engine) : IDisposable
{
    private const int Layers = 10;
    private const int Pages = 2048;
    private const int PageBytes = (int)PageSize.Small;

    public void Dispose()
    {
        engine.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact(Timeout = 200_000)]
    public async Task Chain_OfTenSnapshots_RestoresEachAndFlattens()
    {
        Assert.SkipUnless(engine.Capabilities.KernelFaults.IsAvailable, engine.Capabilities.KernelFaults.Reason);
        using var folder = new TestFolder();
        const ulong Length = (ulong)Pages * PageBytes;
        AddressRange range = new(engine.Home.Map(MapRequest.PrivateAnonymous(Length)).OrThrow("mmap"), Length);
        List<byte[]> copies = [];
        try
        {
            using IMemoryAccess access = engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
            for (int layer = 0; layer < Layers; layer++)
            {
                WriteSome(access, range, layer, layer == 0 ? Pages / 2 : Pages / 20);
                byte[] copy = new byte[Length];
                Assert.True(access.Read(range.Start, copy).IsOk);
                copies.Add(copy);
                using var snapshot = MemorySnapshot.Take(engine, engine.Home, range);

                // From here on the memory is another; the layer must not know.
                var writing = Task.Run(() => WriteElsewhere(range, layer), TestContext.Current.CancellationToken);
                ImageWritten written = await WriteLayerAsync(folder, snapshot, layer);
                await writing.WaitAsync(Reading.Deadline);
                Assert.True(layer == 0 || written.FileLength < Length / 4, $"Layer {layer} takes {written.FileLength} bytes.");
                snapshot.Dispose();
                Assert.True(access.Write(range.Start, copy).IsOk);
            }
        }
        finally
        {
            engine.Home.Unmap(range).OrThrow("munmap", range);
        }

        StoreAddresses addresses = new();
        for (int layer = 0; layer < Layers; layer++)
        {
            using IPageStore opened = await addresses.OpenAsync(PathOf(folder, layer), TestContext.Current.CancellationToken);
            Reading.AssertSame(copies[layer], await opened.AllAsync());
        }

        using IPageStore top = await addresses.OpenAsync(PathOf(folder, Layers - 1), TestContext.Current.CancellationToken);
        await ImageBuilder.CreateAsync(top, folder.File("flat.flt"), new ImageWriterOptions(), cancellationToken: TestContext.Current.CancellationToken);
        for (int layer = 0; layer < Layers; layer++)
        {
            File.Delete(PathOf(folder, layer));
        }

        using IPageStore flat = await addresses.OpenAsync(folder.File("flat.flt"), TestContext.Current.CancellationToken);
        Reading.AssertSame(copies[^1], await flat.AllAsync());
    }

    private static string PathOf(TestFolder folder, int layer) => folder.File($"layer{layer}.flt");

    private static void WriteSome(IMemoryAccess access, AddressRange range, int layer, int pages)
    {
        var random = new Random(layer);
        byte[] page = new byte[PageBytes];
        for (int i = 0; i < pages; i++)
        {
            random.NextBytes(page);
            Assert.True(access.Write(range.Start + ((ulong)random.Next(Pages / 8) * 8 * PageBytes) + ((ulong)random.Next(2) * PageBytes), page).IsOk);
        }
    }

    private static async Task<ImageWritten> WriteLayerAsync(TestFolder folder, MemorySnapshot snapshot, int layer)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        const int ChunkBytes = PageBytes;
        if (layer == 0)
        {
            return await ImageBuilder.CreateAsync(snapshot, PathOf(folder, 0), new() { ChunkBytes = ChunkBytes }, cancellationToken: cancellation);
        }

        using IPageStore below = await new StoreAddresses().OpenAsync(PathOf(folder, layer - 1), cancellation);
        ImageWriterOptions options = new() { Base = Assert.IsType<ImagePageStore>(below), BaseName = Path.GetFileName(PathOf(folder, layer - 1)) };
        return await ImageBuilder.CreateAsync(snapshot, PathOf(folder, layer), options, cancellationToken: cancellation);
    }

    private void WriteElsewhere(AddressRange range, int layer)
    {
        using IMemoryAccess access = engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
        WriteSome(access, range, 1000 + layer, Pages / 4);
    }
}
