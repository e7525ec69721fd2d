using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>A snapshot is the memory at one instant, whatever is written while it is read, and whoever writes goes on.</summary>
public abstract class SnapshotTests(IMemoryEngine engine) : PagerTests(engine)
{
    public static TheoryData<MemorySort, MemoryOwner> Every()
    {
        TheoryData<MemorySort, MemoryOwner> data = [];
        foreach (MemorySort sort in Enum.GetValues<MemorySort>())
        {
            data.Add(sort, MemoryOwner.Program);
            data.Add(sort, MemoryOwner.Pager);
        }

        return data;
    }

    [Theory(Timeout = 200_000)]
    [MemberData(nameof(Every))]
    public async Task Read_EveryPageWrittenAfterwards_IsWhatWasThere(MemorySort sort, MemoryOwner owner)
    {
        TrackedMemory memory = Own(new TrackedMemory(Engine, sort, 16, populated: owner == MemoryOwner.Program, owner));
        for (int page = 0; page < memory.Pages; page++)
        {
            memory.Store(page, 100 + (ulong)page);
        }

        MemorySnapshot snapshot = Own(memory.Freeze());
        for (int page = 0; page < memory.Pages; page += 2)
        {
            memory.Store(page, 200 + (ulong)page);
        }

        ulong[] words = await WordsAsync(snapshot, memory, chunkPages: 3);
        Assert.Equal(Enumerable.Range(100, memory.Pages).Select(word => (ulong)word), words);
        Assert.Equal(memory.Pages / 2, snapshot.CopiedPages);
        Assert.Equal(204UL, memory.Load(4));

        // What was read is free to be written to, with nobody looking on.
        memory.Store(5, 1);
        Assert.Equal(memory.Pages / 2, snapshot.CopiedPages);
        StoreRead again = await snapshot.ReadAsync(0, new byte[Page], TestContext.Current.CancellationToken);
        Assert.IsType<InvalidOperationException>(again.Cause);
    }

    [Fact(Timeout = 200_000)]
    public async Task Read_Repeatable_ReadsTheSameTwice()
    {
        TrackedMemory memory = Own(new TrackedMemory(Engine, MemorySort.Anonymous, 8));
        MemorySnapshot snapshot = Own(memory.Freeze(new() { ReadOnce = false }));
        ulong[] first = await WordsAsync(snapshot, memory, 8);
        memory.Store(3, 3);
        Assert.Equal(first, await WordsAsync(snapshot, memory, 1));
    }

    [Fact(Timeout = 200_000)]
    public async Task Read_HolesOfAnonymousMemory_AreZeroes()
    {
        TrackedMemory memory = Own(new TrackedMemory(Engine, MemorySort.Anonymous, 8, populated: false));
        MemorySnapshot snapshot = Own(memory.Freeze());
        memory.Store(2, 7);
        Assert.All(await WordsAsync(snapshot, memory, 4), static word => Assert.Equal(0UL, word));
        Assert.Equal(1, snapshot.CopiedPages);
    }

    /// <summary>
    /// Every store has a begin and an end on one clock. The snapshot is an instant if no store is missing from it that had ended before one began that
    /// is in it.
    /// </summary>
    [Theory(Timeout = 200_000)]
    [MemberData(nameof(Every))]
    public async Task Take_WhileThreadsWrite_IsOneInstant(MemorySort sort, MemoryOwner owner)
    {
        const int Writers = 3;
        bool isHuge = sort is MemorySort.HugetlbShared or MemorySort.HugetlbPrivate;
        TrackedMemory memory = Own(new TrackedMemory(Engine, sort, isHuge ? 6 : 510, populated: owner == MemoryOwner.Program, owner));
        var log = new Log(memory.Pages);
        using CancellationTokenSource stop = new();
        Task[] writing = [.. Enumerable.Range(0, Writers).Select(writer => Task.Factory.StartNew(
            () => Write(memory, log, writer, Writers, stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        List<ulong[]> snapshots = [];
        for (int i = 0; i < 10; i++)
        {
            Pause(5);
            using MemorySnapshot snapshot = memory.Freeze();
            snapshots.Add(await WordsAsync(snapshot, memory, isHuge ? 1 : 16));
        }

        await stop.CancelAsync();
        await Task.WhenAll(writing).WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.All(snapshots, log.AssertInstant);
    }

    [Fact(Timeout = 200_000)]
    public async Task Write_NoRoomForCopies_WaitsForTheReader()
    {
        TrackedMemory memory = Own(new TrackedMemory(Engine, MemorySort.Anonymous, 32));
        MemorySnapshot snapshot = Own(memory.Freeze(new() { MaxHeldBytes = 4 * Page }));
        int stored = 0;
        Task writing = Task.Factory.StartNew(
            () =>
            {
                using IMemoryAccess access = memory.OpenAccess();
                for (int page = memory.Pages - 1; page >= 0; page--)
                {
                    memory.Store(access, page, 5);
                    Interlocked.Increment(ref stored);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        Eventually(() => Volatile.Read(ref stored) == 4, "four stores");
        Pause(60);
        Assert.Equal(4, Volatile.Read(ref stored));
        Assert.All(await WordsAsync(snapshot, memory, 1), static word => Assert.Equal(0UL, word));
        await writing.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.Equal(5UL, memory.Load(0));
    }

    [Fact(Timeout = 200_000)]
    public async Task Dispose_WhileAWriterWaits_LetsItGoOn()
    {
        TrackedMemory memory = Own(new TrackedMemory(Engine, MemorySort.ShmemShared, 8));
        MemorySnapshot snapshot = Own(memory.Freeze(new() { MaxHeldBytes = Page }));
        Task writing = Task.Factory.StartNew(
            () =>
            {
                using IMemoryAccess access = memory.OpenAccess();
                memory.Store(access, 0, 1);
                memory.Store(access, 1, 1);
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        Pause(60);
        Assert.False(writing.IsCompleted);
        snapshot.Dispose();
        snapshot.Dispose();
        await writing.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await snapshot.ReadAsync(0, new byte[Page], CancellationToken.None));
    }

    /// <summary>The copy for the snapshot is made by a handler thread, here the only one: a fault of its own would be the end of the pager.</summary>
    [Theory(Timeout = 200_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Write_PageIsDiscardedBeforeItIsKept_FailsTheSnapshotAlone(bool isPrivateImage)
    {
        Assert.SkipUnless(Engine.Capabilities.KernelFaults.IsAvailable, Engine.Capabilities.KernelFaults.Reason);
        Pager pager = NewPager(new PagerOptions { HandlerThreads = 1, LoadBytes = 4096, SequentialWindowBytes = 4096, NeighbourPages = 1 });
        BlockingStore store = new(16 * Page);
        PagedImage image = pager.OpenImage(store);
        MapRequest request = isPrivateImage ? MapRequest.PrivateFile(image.File, 16 * Page) : MapRequest.PrivateAnonymous(16 * Page);
        AddressRange range = new(Engine.Home.Map(in request).OrThrow("mmap"), 16 * Page);
        IUserfaultfd context = UserfaultfdHandshake.Open(Engine.Home, Plain).OrThrow("userfaultfd");
        using PagerClient client = pager.Attach(context);
        client.AddRegion(range, image, 0, isPrivateImage ? RegionKind.PrivateImage : RegionKind.Copied);
        using IMemoryAccess access = Engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
        using IMemoryAccess other = Engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
        using MemorySnapshot whole = await BringAsync();

        // The handler hangs in the store; behind it in the queue is a write to a page that is thrown away before the handler comes to it.
        store.Block();
        Task<AccessResult> reading = StartAsync(() => access.Load(range.Start, out _));
        Assert.True(store.WaitForReader());
        Task<AccessResult> writing = StartAsync(() => other.Store(range.Start + (3 * Page), 42));
        Eventually(() => context.GetCounts().Value.Pending > 0, "the write's message");
        Engine.Home.Advise(range.Slice(3 * Page, Page), Advice.DontNeed).OrThrow("MADV_DONTNEED");
        store.Unblock();
        Assert.Equal(AccessFault.None, (await reading.WaitAsync(Deadline, TestContext.Current.CancellationToken)).Fault);
        Assert.Equal(AccessFault.None, (await writing.WaitAsync(Deadline, TestContext.Current.CancellationToken)).Fault);
        Assert.True(access.Load(range.Start + (3 * Page), out ulong word).IsOk);
        Assert.Equal(42UL, word);
        StoreRead read = await whole.ReadAsync(3 * Page, new byte[Page], TestContext.Current.CancellationToken);
        if (isPrivateImage)
        {
            // It was no page of the client's own any more when it was looked up: without the REMOVE event it is the image's.
            Assert.True(read.IsOk, read.Cause?.ToString());
        }
        else
        {
            Assert.Contains("was discarded (madvise)", Assert.IsType<InvalidOperationException>(read.Cause).Message, StringComparison.Ordinal);
        }

        whole.Dispose();
        client.Detach();
        Engine.Home.Unmap(range).OrThrow("munmap");

        async Task<MemorySnapshot> BringAsync()
        {
            // Page 3 is the client's own, page 0 is not there yet.
            store.Unblock();
            Assert.Equal(AccessFault.None, access.Store(range.Start + (3 * Page), 41).Fault);
            return await Task.Run(() => MemorySnapshot.Take(client, Engine.Home, range), TestContext.Current.CancellationToken);
        }

        static Task<AccessResult> StartAsync(Func<AccessResult> access) =>
            Task.Factory.StartNew(access, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private static async Task<ulong[]> WordsAsync(MemorySnapshot snapshot, TrackedMemory memory, int chunkPages)
    {
        ulong[] words = new ulong[memory.Pages];
        byte[] chunk = new byte[(ulong)chunkPages * memory.PageBytes];
        for (ulong offset = 0; offset < snapshot.Length;)
        {
            StoreRead read = await snapshot.ReadAsync(offset, chunk, TestContext.Current.CancellationToken);
            Assert.True(read.IsOk, read.Cause?.ToString());
            for (int at = 0; at < read.BytesRead; at += (int)memory.PageBytes)
            {
                words[(int)((offset + (ulong)at) / memory.PageBytes)] = BitConverter.ToUInt64(chunk, at);
            }

            offset += (ulong)read.BytesRead;
        }

        return words;
    }

    private static void Write(TrackedMemory memory, Log log, int writer, int writers, CancellationToken stop)
    {
        using IMemoryAccess access = memory.OpenAccess();
        var random = new Random(3 + writer);
        while (!stop.IsCancellationRequested)
        {
            int page = (random.Next(memory.Pages / writers) * writers) + writer;
            ulong begin = log.Now();
            memory.Store(access, page, begin);
            log.Add(page, begin, log.Now());
        }
    }

    /// <summary>The stores of each page, in order; a page has one writer.</summary>
    private sealed class Log(int pages)
    {
        private readonly List<(ulong Begin, ulong End)>[] _stores = [.. Enumerable.Range(0, pages).Select(static _ => new List<(ulong, ulong)>())];
        private ulong _clock;

        public ulong Now() => Interlocked.Increment(ref _clock);

        public void Add(int page, ulong begin, ulong end) => _stores[page].Add((begin, end));

        public void AssertInstant(ulong[] words)
        {
            ulong lastBegun = words.Max();
            for (int page = 0; page < words.Length; page++)
            {
                int next = words[page] == 0 ? 0 : _stores[page].FindIndex(store => store.Begin == words[page]) + 1;
                if (next < _stores[page].Count)
                {
                    Assert.True(
                        _stores[page][next].End > lastBegun,
                        $"Page {page} lacks the store that ended at {_stores[page][next].End}, and the snapshot has one that began at {lastBegun}.");
                }
            }
        }
    }
}
