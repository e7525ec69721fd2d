using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Stores;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>The disk is full: a cache is only slower, a snapshot is an error and leaves what was there, and whoever writes to memory notices nothing.</summary>
public abstract class FullDiskTests(IMemoryEngine engine) : PagerTests(engine)
{
    [Fact(Timeout = 200_000)]
    public async Task Snapshot_NoRoom_IsAnErrorThatLeavesTheLayerBeforeAndLetsWritersGoOn()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        SmallDisk disk = Own(new SmallDisk());
        byte[] contents = new byte[4 << 20];
        Pager pager = NewPager();
        PagedMemory memory = Own(pager.Map(new MemoryPageStore(contents)));
        IDirtyTracker tracker = Own(memory.TrackWrites());
        string path = Path.Combine(disk.Path, "memory.flt");
        byte[] some = new byte[64 << 10];
        new Random(1).NextBytes(some);
        memory.Write(0, some);
        using (var small = MemorySnapshot.TakeWritten(tracker, Engine.Home))
        {
            await ImageBuilder.CreateAsync(small, path, new ImageWriterOptions(), cancellationToken: cancellation);
        }

        byte[] before = await File.ReadAllBytesAsync(path, cancellation);
        byte[] much = new byte[3 << 20];
        new Random(2).NextBytes(much);
        memory.Write(0, much);
        using (var large = MemorySnapshot.TakeWritten(tracker, Engine.Home))
        {
            var writing = Task.Run(() => memory.Write(1 << 20, some), cancellation);
            await Assert.ThrowsAnyAsync<IOException>(() => ImageBuilder.CreateAsync(large, path, new ImageWriterOptions(), cancellationToken: cancellation));
            await writing.WaitAsync(Deadline, cancellation);
        }

        // What was there is there, and nothing beside it.
        Assert.Equal([path], Directory.GetFiles(disk.Path), StringComparer.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(path, cancellation));

        // What was to be saved is still to be saved.
        List<AddressRange> written = [];
        tracker.TakeWritten(written);
        Assert.Equal([memory.Range.Slice(0, (ulong)much.Length)], written);
        memory.Write(2 << 20, some);
        Assert.Equal(some.Length / 4096, tracker.TakeWritten(written));
    }

    [Fact(Timeout = 200_000)]
    public async Task Cache_NoRoom_EverythingIsRightAndServed()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        SmallDisk disk = Own(new SmallDisk());
        ChaosImage image = await ChaosImage.CreateAsync(4 << 20, Own(new TemporaryFolder()).Path);
        using BlockCache cache = new(disk.Path, new BlockCacheOptions { BudgetBytes = 64 << 20 });
        IPageStore stack = new CachedPageStore(new ChaosStore(image.File, 1, damages: true), cache, "full", 16 << 10);
        using ImagePageStore opened = await ImagePageStore.OpenAsync(stack, "full", cancellationToken: cancellation);
        Pager pager = NewPager();
        PagedImage paged = pager.OpenImage(opened, ownership: StoreOwnership.Caller);
        for (int round = 0; round < 2; round++)
        {
            TestClient client = NewClient(pager, paged, RegionKind.Copied);
            for (ulong offset = 0; offset < image.Length; offset += Page)
            {
                Assert.Equal(ChaosImage.WordAt(offset), client.WordAt(offset));
            }

            await cache.FlushAsync(cancellation);
        }

        Assert.True(cache.GetStatistics().NotWritten > 0, "The disk was not full.");
    }
}
