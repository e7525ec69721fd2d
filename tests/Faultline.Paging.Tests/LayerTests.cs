using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Stores;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>Snapshots of memory that is written to all the time, as layers of an image, and what is restored from them.</summary>
public abstract class LayerTests(IMemoryEngine engine) : PagerTests(engine)
{
    private const int Layers = 10;

    private string? _made;

    public static TheoryData<MemorySort, MemoryOwner> Chains() => new()
    {
        { MemorySort.Anonymous, MemoryOwner.Program },
        { MemorySort.ShmemPrivate, MemoryOwner.Program },
        { MemorySort.Anonymous, MemoryOwner.Pager },
        { MemorySort.ShmemPrivate, MemoryOwner.Pager },
        { MemorySort.ShmemShared, MemoryOwner.Pager },
        { MemorySort.HugetlbPrivate, MemoryOwner.Pager },
    };

    [Theory(Timeout = 200_000)]
    [MemberData(nameof(Chains))]
    public async Task TakeWritten_TenLayersWhileAThreadWrites_EachRestoresToItsInstant(MemorySort sort, MemoryOwner owner)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        bool isHuge = sort == MemorySort.HugetlbPrivate;
        TrackedMemory memory = Own(new TrackedMemory(Engine, sort, isHuge ? 8 : 512, populated: owner == MemoryOwner.Program, owner));
        byte[] model = new byte[memory.Range.Length];
        for (int i = 0; i < model.Length && owner == MemoryOwner.Pager; i++)
        {
            model[i] = TrackedMemory.ByteAt((ulong)i, memory.PageBytes);
        }

        IDirtyTracker tracker = Own(memory.Track(DirtyTracking.Synchronous));
        ImageWriterOptions small = new() { ChunkBytes = 16 << 10 };
        await ImageBuilder.CreateAsync(new MemoryPageStore(model), NameOf(0), small, cancellationToken: cancellation);
        var random = new Random(5);
        List<byte[]> instants = [model];
        byte[] now = (byte[])model.Clone();
        long stored = 0;
        for (int layer = 1; layer <= Layers; layer++)
        {
            Write(memory, now, random, writes: 25);
            instants.Add((byte[])now.Clone());
            using var snapshot = MemorySnapshot.TakeWritten(tracker, Engine.Home);

            // A thread writes on, to what is being saved and to what is not; its writes are the next layer's.
            int seed = random.Next();
            Task writing = Task.Factory.StartNew(
                () => Write(memory, now, new Random(seed), writes: 60), cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            using (ImagePageStore below = await OpenAsync(NameOf(layer - 1)))
            {
                ImageWriterOptions options = new() { Base = below, BaseName = Path.GetFileName(NameOf(layer - 1)) };
                ImageWritten written = await ImageBuilder.CreateAsync(snapshot, NameOf(layer), options, cancellationToken: cancellation);
                Assert.InRange(written.StoredChunks, 1, isHuge ? int.MaxValue : 100);
                stored += written.StoredChunks;
            }

            await writing.WaitAsync(Deadline, cancellation);
            AssertMemory(memory, now);
        }

        Assert.True(stored > 0);
        for (int layer = 0; layer <= Layers; layer++)
        {
            await AssertRestoresAsync(NameOf(layer), instants[layer]);
        }

        using ImagePageStore top = await OpenAsync(NameOf(Layers));
        string flat = Path.Combine(Folder, "flat.flt");
        ImageWritten flattened = await ImageBuilder.CreateAsync((IPageStore)top, flat, small, cancellationToken: cancellation);
        Assert.Equal(top.Digest, flattened.Digest);
        Assert.Equal(0, flattened.InheritedChunks);
        await AssertRestoresAsync(flat, instants[Layers]);
    }

    // A clone that has touched little: the layer holds what it wrote and discarded, and the rest is not even brought into memory.
    [Fact(Timeout = 200_000)]
    public async Task Take_CloneOfAnImage_IsALayerOfWhatItWrote()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        byte[] contents = new byte[4 << 20];
        new Random(1).NextBytes(contents);
        await ImageBuilder.CreateAsync(new MemoryPageStore(contents), NameOf(0), new ImageWriterOptions(), cancellationToken: cancellation);
        using ImagePageStore image = await OpenAsync(NameOf(0));
        Pager pager = NewPager();
        PagedImage paged = pager.OpenImage(image, ownership: StoreOwnership.Caller);
        TestClient clone = NewClient(pager, paged, features: Events);
        TestClient other = NewClient(pager, paged);
        clone.SetWord(5 * Page, 5);
        clone.SetWord(700 * Page, 7);
        Assert.Equal(BitConverter.ToUInt64(contents, 40 * 4096), clone.WordAt(40 * Page));
        clone.WordAt(800 * Page);
        clone.Space.Advise(clone.Page(800), Advice.DontNeed).OrThrow("MADV_DONTNEED", clone.Page(800));
        other.SetWord(300 * Page, 3);
        long cached = paged.GetStatistics().CachedPages;
        ImageWritten written;
        using (var snapshot = MemorySnapshot.Take(clone.Paged, clone.Space, clone.Range))
        {
            clone.SetWord(5 * Page, 6);
            clone.SetWord(40 * Page, 1);
            Assert.Equal(1, snapshot.CopiedPages);
            ImageWriterOptions options = new() { Base = image, BaseName = Path.GetFileName(NameOf(0)) };
            written = await ImageBuilder.CreateAsync(snapshot, NameOf(1), options, cancellationToken: cancellation);
        }

        Assert.InRange(written.StoredChunks, 3, 4);
        Assert.InRange(paged.GetStatistics().CachedPages - cached, 0, 64);
        BitConverter.TryWriteBytes(contents.AsSpan(5 * 4096), 5UL);
        BitConverter.TryWriteBytes(contents.AsSpan(700 * 4096), 7UL);
        contents.AsSpan(800 * 4096, 4096).Clear();
        await AssertRestoresAsync(NameOf(1), contents);

        // Afterwards it is served, and written to, as before.
        Assert.Equal(6UL, clone.WordAt(5 * Page));
        Assert.Equal(1UL, clone.WordAt(40 * Page));
        Assert.Equal(0UL, clone.WordAt(800 * Page));
        Assert.Equal(BitConverter.ToUInt64(contents, 900 * 4096), clone.WordAt(900 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Take_StoreFailsMeanwhile_IsAnErrorOfTheSnapshotAlone()
    {
        TestStore store = new(64 * Page);
        Pager pager = NewPager();
        PagedMemory memory = Own(pager.Map(store));
        memory.Write(3 * Page, new byte[8]);
        store.Fails = static page => page >= 32;
        using MemorySnapshot snapshot = memory.TakeSnapshot();
        StoreRead read = await snapshot.ReadAsync(40 * Page, new byte[4096], TestContext.Current.CancellationToken);
        Assert.IsType<PageLoadException>(read.Cause);
        Assert.True((await snapshot.ReadAsync(0, new byte[16 * 4096], TestContext.Current.CancellationToken)).IsOk);
        store.Fails = static _ => false;
        byte[] word = new byte[8];
        memory.Read(40 * Page, word);
        Assert.Equal(store.Expected(40 * Page), BitConverter.ToUInt64(word));
        Assert.True((await snapshot.ReadAsync(40 * Page, new byte[4096], TestContext.Current.CancellationToken)).IsOk);
    }

    [Fact(Timeout = 200_000)]
    public async Task Take_AsynchronousContext_IsRefusedAndHarmless()
    {
        await Task.Yield();
        Pager pager = NewPager(new PagerOptions { Tracking = DirtyTracking.Asynchronous });
        PagedMemory memory = Own(pager.Map(new TestStore(64 * Page)));
        using IDirtyTracker tracker = memory.TrackWrites();
        Assert.Equal(DirtyTracking.Asynchronous, tracker.Kind);
        Assert.Throws<InvalidOperationException>(() => memory.TakeSnapshot());
        Assert.Throws<ArgumentException>(() => MemorySnapshot.TakeWritten(tracker, Engine.Home));
        List<AddressRange> written = [];
        tracker.TakeWritten(written);
        memory.Write(7 * Page, new byte[8]);
        Assert.Equal(1, tracker.TakeWritten(written));
    }

    private static void Write(TrackedMemory memory, byte[] model, Random random, int writes)
    {
        using IMemoryAccess access = memory.OpenAccess();
        byte[] bytes = new byte[64];
        for (int i = 0; i < writes; i++)
        {
            random.NextBytes(bytes);
            int at = random.Next(model.Length - bytes.Length);
            Assert.Equal(AccessFault.None, access.Write(memory.Range.Start + (ulong)at, bytes).Fault);
            bytes.CopyTo(model, at);
        }
    }

    private static void AssertMemory(TrackedMemory memory, byte[] expected)
    {
        byte[] actual = new byte[expected.Length];
        Assert.Equal(AccessFault.None, memory.Access.Read(memory.Range.Start, actual).Fault);
        AssertSame(expected, actual);
    }

    private static void AssertSame(byte[] expected, byte[] actual)
    {
        int at = expected.AsSpan().CommonPrefixLength(actual);
        Assert.True(at == expected.Length, $"The bytes differ from 0x{at:x} on.");
    }

    private static Task<ImagePageStore> OpenAsync(string path) => ImagePageStore.OpenAsync(
        new FilePageStore(path),
        path,
        (below, _) => OpenAsync(Path.Combine(Path.GetDirectoryName(path)!, below.Name)),
        TestContext.Current.CancellationToken);

    private string Folder => _made ??= Own(new TemporaryFolder()).Path;

    private string NameOf(int layer) => Path.Combine(Folder, $"{layer}.flt");

    private async Task AssertRestoresAsync(string path, byte[] expected)
    {
        using ImagePageStore store = await OpenAsync(path);
        using Pager pager = new(Engine);
        using PagedImage image = pager.OpenImage(store, ownership: StoreOwnership.Caller);
        using PagedMemory restored = pager.Map(image);
        byte[] actual = new byte[expected.Length];
        restored.Read(0, actual);
        AssertSame(expected, actual);
    }
}
