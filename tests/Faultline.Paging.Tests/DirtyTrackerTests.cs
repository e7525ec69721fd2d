using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>What is written is told, once, and nothing else; also while threads write.</summary>
public abstract class DirtyTrackerTests(IMemoryEngine engine) : PagerTests(engine)
{
    public static TheoryData<DirtyTracking, MemorySort, MemoryOwner> Every()
    {
        TheoryData<DirtyTracking, MemorySort, MemoryOwner> data = [];
        foreach (DirtyTracking tracking in Enum.GetValues<DirtyTracking>())
        {
            foreach (MemorySort sort in Enum.GetValues<MemorySort>())
            {
                data.Add(tracking, sort, MemoryOwner.Program);
                data.Add(tracking, sort, MemoryOwner.Pager);
            }
        }

        return data;
    }

    [Theory(Timeout = 200_000)]
    [MemberData(nameof(Every))]
    public async Task TakeWritten_PagesStored_AreThose(DirtyTracking tracking, MemorySort sort, MemoryOwner owner)
    {
        await Task.Yield();
        (TrackedMemory memory, IDirtyTracker tracker) = Track(tracking, sort, pages: 8, owner: owner);
        Assert.Equal(memory.PageBytes, tracker.PageBytes);
        List<AddressRange> written = [];
        tracker.TakeWritten(written);
        Assert.Equal(0, tracker.TakeWritten(written));
        Assert.Empty(written);

        memory.Store(1, 1);
        memory.Store(2, 2);
        memory.Store(5, 5);
        memory.Load(4);
        Assert.Equal(3, tracker.TakeWritten(written));
        Assert.Equal([memory.PagesAt(1, 2), memory.PagesAt(5)], written);
        Assert.Equal(0, tracker.TakeWritten(written));

        memory.Store(2, 9);
        Assert.Equal(1, tracker.TakeWritten(written));
        Assert.Equal([memory.PagesAt(2)], written);
    }

    // Every page that is never written but was never there either must not come back a second time.
    [Theory(Timeout = 200_000)]
    [MemberData(nameof(Every))]
    public async Task TakeWritten_FirstTouchOfAHole_IsWritten(DirtyTracking tracking, MemorySort sort, MemoryOwner owner)
    {
        await Task.Yield();
        (TrackedMemory memory, IDirtyTracker tracker) = Track(tracking, sort, pages: 4, populated: false, owner: owner);
        List<AddressRange> written = [];
        tracker.TakeWritten(written);
        Assert.Equal(0, tracker.TakeWritten(written));
        memory.Store(3, 1);
        Assert.Equal(1, tracker.TakeWritten(written));
        Assert.Equal([memory.PagesAt(3)], written);
    }

    /// <summary>
    /// Each page holds a generation and its check word, counted up by its writer. A copy is kept by the taken pages alone: it must be the memory in the end
    /// (nothing lost), and a page is taken only if a store to it went on after the call before had begun (nothing invented).
    /// </summary>
    [Theory(Timeout = 200_000)]
    [MemberData(nameof(Every))]
    public async Task TakeWritten_WhileThreadsWrite_LosesNothingAndInventsNothing(DirtyTracking tracking, MemorySort sort, MemoryOwner owner)
    {
        const int Writers = 2;
        int pages = sort is MemorySort.HugetlbShared or MemorySort.HugetlbPrivate ? 4 : 128;
        (TrackedMemory memory, IDirtyTracker tracker) = Track(tracking, sort, pages, populated: owner == MemoryOwner.Program, owner);
        Ledger ledger = new(pages);
        using CancellationTokenSource stop = new();
        Task[] writing = [.. Enumerable.Range(0, Writers).Select(writer => Task.Factory.StartNew(
            () => Write(memory, ledger, writer, Writers, stop.Token),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default))];

        List<AddressRange> written = [];
        tracker.TakeWritten(written);
        Copy(written, memory, ledger);

        // Threads start when the machine lets them: the rounds go on until there was something to see.
        const int FewestRounds = 400;
        const int FewestStores = 200;
        long finishedBefore = 0;
        int rounds = 0;
        for (var clock = Stopwatch.StartNew(); (rounds < FewestRounds || finishedBefore < FewestStores) && clock.Elapsed < Deadline; rounds++)
        {
            long[] finished = ledger.Finished();
            tracker.TakeWritten(written);
            if (rounds > 0)
            {
                ledger.AssertNothingInvented(PagesOf(written, memory));
            }

            ledger.Before = finished;
            Copy(written, memory, ledger);
            finishedBefore = finished.Sum();
        }

        await stop.CancelAsync();
        await Task.WhenAll(writing).WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.True(finishedBefore >= FewestStores, $"Only {finishedBefore} stores were made.");
        tracker.TakeWritten(written);
        Copy(written, memory, ledger);
        Assert.Equal(0, tracker.TakeWritten(written));
        for (int page = 0; page < pages; page++)
        {
            ulong there = memory.Load(page);
            Assert.Equal((page, there), (page, ledger.Copied[page]));
            Assert.Equal((ulong)ledger.Finished()[page], there);
        }
    }

    // What a pager installs while someone tracks is protected at once, and so is not a write; a store right behind it is one.
    [Theory(Timeout = 200_000)]
    [MemberData(nameof(Every))]
    public async Task TakeWritten_PagesThatWereAbsentAreRead_TellsNone(DirtyTracking tracking, MemorySort sort, MemoryOwner owner)
    {
        await Task.Yield();
        (TrackedMemory memory, IDirtyTracker tracker) = Track(tracking, sort, pages: 8, populated: false, owner);
        List<AddressRange> written = [];
        tracker.TakeWritten(written);
        for (int page = 0; page < memory.Pages; page++)
        {
            Assert.Equal(0UL, memory.Load(page));
        }

        Assert.Equal(0, tracker.TakeWritten(written));
        memory.Store(4, 1);
        memory.Store(7, 1);
        tracker.TakeWritten(written);
        Assert.Equal([memory.PagesAt(4), memory.PagesAt(7)], written);
    }

    // After a tracker the pager goes on as before: markers left in empty entries would stop ZEROPAGE and POISON for good.
    [Theory(Timeout = 200_000)]
    [InlineData(MemorySort.Anonymous)]
    [InlineData(MemorySort.ShmemShared)]
    [InlineData(MemorySort.ShmemPrivate)]
    public async Task Dispose_PagesStillAbsent_AreServedAsBefore(MemorySort sort)
    {
        await Task.Yield();
        foreach (DirtyTracking tracking in Enum.GetValues<DirtyTracking>())
        {
            (TrackedMemory memory, IDirtyTracker tracker) = Track(tracking, sort, pages: 32, populated: false, MemoryOwner.Pager);
            memory.Store(3, 3);
            tracker.Dispose();
            for (int page = 0; page < memory.Pages; page++)
            {
                Assert.Equal(page == 3 ? 3UL : 0UL, memory.Load(page));
            }

            // And it can begin again.
            List<AddressRange> written = [];
            using IDirtyTracker second = memory.Track(tracking);
            second.TakeWritten(written);
            memory.Store(9, 9);
            Assert.Equal(1, second.TakeWritten(written));
        }
    }

    [Theory(Timeout = 200_000)]
    [InlineData(DirtyTracking.Asynchronous, MemoryOwner.Program)]
    [InlineData(DirtyTracking.Synchronous, MemoryOwner.Program)]
    [InlineData(DirtyTracking.Asynchronous, MemoryOwner.Pager)]
    [InlineData(DirtyTracking.Synchronous, MemoryOwner.Pager)]
    public async Task Dispose_WhileAThreadWrites_LetsItGoOn(DirtyTracking tracking, MemoryOwner owner)
    {
        (TrackedMemory memory, IDirtyTracker tracker) = Track(tracking, MemorySort.Anonymous, pages: 64, owner: owner);
        using CancellationTokenSource stop = new();
        Ledger ledger = new(64);
        Task writing = Task.Factory.StartNew(
            () => Write(memory, ledger, 0, 1, stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        List<AddressRange> written = [];
        for (int i = 0; i < 20; i++)
        {
            tracker.TakeWritten(written);
        }

        tracker.Dispose();
        tracker.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tracker.TakeWritten(written));
        long before = ledger.Finished().Sum();
        Eventually(() => ledger.Finished().Sum() > before + 1000, "more stores");
        await stop.CancelAsync();
        await writing.WaitAsync(Deadline, TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 200_000)]
    public async Task Start_RangeOfAnotherContext_EBUSY()
    {
        await Task.Yield();
        (TrackedMemory memory, _) = Track(DirtyTracking.Asynchronous, MemorySort.Anonymous, pages: 2);
        MemoryEngineException refused = Assert.Throws<MemoryEngineException>(
            () => DirtyTracker.Start(Engine, Engine.Home, memory.Range, DirtyTracking.Synchronous));
        Assert.Equal((Errno.EBUSY, "UFFDIO_REGISTER"), (refused.Errno, refused.Call));
    }

    [Fact(Timeout = 200_000)]
    public async Task Start_RegionTrackedAlready_EBUSY()
    {
        await Task.Yield();
        (TrackedMemory memory, _) = Track(DirtyTracking.Synchronous, MemorySort.ShmemPrivate, pages: 2, owner: MemoryOwner.Pager);
        Assert.Equal(Errno.EBUSY, Assert.Throws<MemoryEngineException>(() => memory.Track(DirtyTracking.Synchronous)).Errno);
        Assert.Throws<ArgumentException>(() => DirtyTracker.Start(memory.Client!, Engine.Home, memory.PagesAt(1)));
    }

    // The holder of a lease writes from managed code and must not fault, so its pages are never protected, and always told.
    [Fact(Timeout = 200_000)]
    public async Task TakeWritten_LeasedForWriting_IsToldEachTime()
    {
        await Task.Yield();
        Pager pager = NewPager();
        PagedMemory memory = Own(pager.Map(new TestStore(64 * Page)));
        List<AddressRange> written = [];
        long taken;
        using (Lease early = memory.Lease(3 * Page, 8, LeaseAccess.Write))
        {
            using IDirtyTracker tracker = memory.TrackWrites();
            early.Span[0] = 1;
            Lease lease = memory.Lease(9 * Page, 2 * 4096, LeaseAccess.Write);
            tracker.TakeWritten(written);
            lease.Span[4096] = 1;
            early.Span[1] = 1;
            Assert.Equal(3, tracker.TakeWritten(written));
            Assert.Equal([memory.Range.Slice(3 * Page, Page), memory.Range.Slice(9 * Page, 2 * Page)], written);
            lease.Dispose();
            Assert.Equal(3, tracker.TakeWritten(written));
            Assert.Equal(1, tracker.TakeWritten(written));
            memory.Read(20 * Page, new byte[100]);
            memory.Write(21 * Page, new byte[100]);
            taken = tracker.TakeWritten(written);
        }

        Assert.Equal(2, taken);
    }

    private static IEnumerable<int> PagesOf(List<AddressRange> written, TrackedMemory memory)
    {
        foreach (AddressRange run in written)
        {
            for (ulong offset = 0; offset < run.Length; offset += memory.PageBytes)
            {
                yield return (int)((run.Start.Value + offset - memory.Range.Start.Value) / memory.PageBytes);
            }
        }
    }

    private static void Copy(List<AddressRange> written, TrackedMemory memory, Ledger ledger)
    {
        foreach (int page in PagesOf(written, memory))
        {
            ledger.Copied[page] = memory.Load(page);
        }
    }

    private static void Write(TrackedMemory memory, Ledger ledger, int writer, int writers, CancellationToken stop)
    {
        using IMemoryAccess access = memory.OpenAccess();
        var random = new Random(17 + writer);
        while (!stop.IsCancellationRequested)
        {
            int page = (random.Next(memory.Pages / writers) * writers) + writer;
            long generation = ledger.Begin(page);
            memory.Store(access, page, (ulong)generation);
            ledger.End(page, generation);
        }
    }

    private (TrackedMemory Memory, IDirtyTracker Tracker) Track(
        DirtyTracking tracking, MemorySort sort, int pages, bool populated = true, MemoryOwner owner = MemoryOwner.Program)
    {
        TrackedMemory memory = Own(new TrackedMemory(Engine, sort, pages, populated, owner, tracking));
        return (memory, Own(memory.Track(tracking)));
    }

    /// <summary>What the writers did: stores begun and ended by page.</summary>
    private sealed class Ledger(int pages)
    {
        private readonly long[] _begun = new long[pages];
        private readonly long[] _ended = new long[pages];

        public ulong[] Copied { get; } = new ulong[pages];

        /// <summary>The stores that had ended when the call before began.</summary>
        public long[] Before { get; set; } = [];

        public long Begin(int page) => Interlocked.Increment(ref _begun[page]);

        public void End(int page, long generation) => Interlocked.Exchange(ref _ended[page], generation);

        public long[] Finished() => [.. Enumerable.Range(0, pages).Select(page => Interlocked.Read(ref _ended[page]))];

        public void AssertNothingInvented(IEnumerable<int> taken)
        {
            foreach (int page in taken)
            {
                Assert.True(Interlocked.Read(ref _begun[page]) > Before[page], $"Page {page} was not stored to since the call before.");
            }
        }
    }
}
