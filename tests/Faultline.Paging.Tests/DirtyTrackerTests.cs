using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>What is written is told, once, and nothing else; also while threads write.</summary>
public abstract class DirtyTrackerTests(IMemoryEngine engine) : PagerTests(engine)
{
    /// <summary>What memory can be tracked.</summary>
    public enum Kind
    {
        Anonymous,
        ShmemShared,
        ShmemPrivate,
        HugetlbShared,
        HugetlbPrivate,
    }

    public static TheoryData<DirtyTracking, Kind> Every()
    {
        TheoryData<DirtyTracking, Kind> data = [];
        foreach (DirtyTracking tracking in Enum.GetValues<DirtyTracking>())
        {
            foreach (Kind kind in Enum.GetValues<Kind>())
            {
                data.Add(tracking, kind);
            }
        }

        return data;
    }

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Every))]
    public async Task TakeWritten_PagesStored_AreThose(DirtyTracking tracking, Kind kind)
    {
        await Task.Yield();
        (AddressRange range, IMemoryAccess access, IDirtyTracker tracker) = Track(tracking, kind, pages: 8);
        ulong page = tracker.PageBytes;
        List<AddressRange> written = [];
        tracker.TakeWritten(written);
        Assert.Equal(0, tracker.TakeWritten(written));
        Assert.Empty(written);

        foreach (ulong index in new ulong[] { 1, 2, 5 })
        {
            Assert.Equal(AccessFault.None, access.Store(range.Start + (index * page) + 16, index).Fault);
        }

        Assert.Equal(AccessFault.None, access.Load(range.Start + (4 * page), out _).Fault);
        Assert.Equal(3, tracker.TakeWritten(written));
        Assert.Equal([range.Slice(page, 2 * page), range.Slice(5 * page, page)], written);
        Assert.Equal(0, tracker.TakeWritten(written));

        Assert.Equal(AccessFault.None, access.Store(range.Start + (2 * page), 9).Fault);
        Assert.Equal(1, tracker.TakeWritten(written));
        Assert.Equal([range.Slice(2 * page, page)], written);
    }

    // Every page that is never written but was never there either must not come back a second time.
    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Every))]
    public async Task TakeWritten_FirstTouchOfAHole_IsWritten(DirtyTracking tracking, Kind kind)
    {
        await Task.Yield();
        (AddressRange range, IMemoryAccess access, IDirtyTracker tracker) = Track(tracking, kind, pages: 4, populated: false);
        ulong page = tracker.PageBytes;
        List<AddressRange> written = [];
        tracker.TakeWritten(written);
        Assert.Equal(0, tracker.TakeWritten(written));
        Assert.Equal(AccessFault.None, access.Store(range.Start + (3 * page), 1).Fault);
        Assert.Equal(1, tracker.TakeWritten(written));
        Assert.Equal([range.Slice(3 * page, page)], written);
    }

    /// <summary>
    /// Each page holds a generation and its check word, counted up by its writer. A copy is kept by the taken pages alone: it must be the memory in the end
    /// (nothing lost), and a page is taken only if a store to it went on after the call before had begun (nothing invented).
    /// </summary>
    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Every))]
    public async Task TakeWritten_WhileThreadsWrite_LosesNothingAndInventsNothing(DirtyTracking tracking, Kind kind)
    {
        const int Writers = 2;
        int pages = kind is Kind.HugetlbShared or Kind.HugetlbPrivate ? 4 : 128;
        (AddressRange range, IMemoryAccess reader, IDirtyTracker tracker) = Track(tracking, kind, pages);
        Ledger ledger = new(pages);
        using CancellationTokenSource stop = new();
        Task[] writing = [.. Enumerable.Range(0, Writers).Select(writer => Task.Factory.StartNew(
            () => Write(range, tracker.PageBytes, ledger, writer, Writers, stop.Token),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default))];

        List<AddressRange> written = [];
        tracker.TakeWritten(written);
        Copy(written, range, tracker.PageBytes, reader, ledger);
        long finishedBefore = 0;
        int rounds = 0;
        for (; rounds < 400; rounds++)
        {
            long[] finished = ledger.Finished();
            tracker.TakeWritten(written);
            if (rounds > 0)
            {
                ledger.AssertNothingInvented(PagesOf(written, range, tracker.PageBytes));
            }

            ledger.Before = finished;
            Copy(written, range, tracker.PageBytes, reader, ledger);
            finishedBefore = finished.Sum();
        }

        await stop.CancelAsync();
        await Task.WhenAll(writing).WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.True(finishedBefore > 0, "Nobody wrote.");
        tracker.TakeWritten(written);
        Copy(written, range, tracker.PageBytes, reader, ledger);
        Assert.Equal(0, tracker.TakeWritten(written));
        for (int page = 0; page < pages; page++)
        {
            ulong there = Generation(range, tracker.PageBytes, page, reader);
            Assert.Equal((page, there), (page, ledger.Copied[page]));
            Assert.Equal((ulong)ledger.Finished()[page], there);
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData(DirtyTracking.Asynchronous)]
    [InlineData(DirtyTracking.Synchronous)]
    public async Task Dispose_WhileAThreadWrites_LetsItGoOn(DirtyTracking tracking)
    {
        (AddressRange range, _, IDirtyTracker tracker) = Track(tracking, Kind.Anonymous, pages: 64);
        using CancellationTokenSource stop = new();
        Ledger ledger = new(64);
        Task writing = Task.Factory.StartNew(
            () => Write(range, PageSize.Small, ledger, 0, 1, stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
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

    [Fact(Timeout = 60_000)]
    public async Task Start_RangeOfAnotherContext_EBUSY()
    {
        await Task.Yield();
        (AddressRange range, _, _) = Track(DirtyTracking.Asynchronous, Kind.Anonymous, pages: 2);
        MemoryEngineException refused = Assert.Throws<MemoryEngineException>(
            () => DirtyTracker.Start(Engine, Engine.Home, range, DirtyTracking.Synchronous));
        Assert.Equal((Errno.EBUSY, "UFFDIO_REGISTER"), (refused.Errno, refused.Call));
    }

    private static IEnumerable<int> PagesOf(List<AddressRange> written, AddressRange range, ulong pageBytes)
    {
        foreach (AddressRange run in written)
        {
            for (ulong offset = 0; offset < run.Length; offset += pageBytes)
            {
                yield return (int)((run.Start.Value + offset - range.Start.Value) / pageBytes);
            }
        }
    }

    private static void Copy(List<AddressRange> written, AddressRange range, ulong pageBytes, IMemoryAccess reader, Ledger ledger)
    {
        foreach (int page in PagesOf(written, range, pageBytes))
        {
            ledger.Copied[page] = Generation(range, pageBytes, page, reader);
        }
    }

    private static ulong Generation(AddressRange range, ulong pageBytes, int page, IMemoryAccess reader)
    {
        Assert.Equal(AccessFault.None, reader.Load(range.Start + ((ulong)page * pageBytes), out ulong value).Fault);
        return value;
    }

    private void Write(AddressRange range, ulong pageBytes, Ledger ledger, int writer, int writers, CancellationToken stop)
    {
        using IMemoryAccess access = Engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
        var random = new Random(17 + writer);
        while (!stop.IsCancellationRequested)
        {
            int page = (random.Next(ledger.Copied.Length / writers) * writers) + writer;
            long generation = ledger.Begin(page);
            Assert.Equal(AccessFault.None, access.Store(range.Start + ((ulong)page * pageBytes), (ulong)generation).Fault);
            ledger.End(page, generation);
        }
    }

    private (AddressRange Range, IMemoryAccess Access, IDirtyTracker Tracker) Track(DirtyTracking tracking, Kind kind, int pages, bool populated = true)
    {
        Assert.SkipUnless(Engine.Capabilities.KernelFaults.IsAvailable, Engine.Capabilities.KernelFaults.Reason);
        bool isHuge = kind is Kind.HugetlbShared or Kind.HugetlbPrivate;
        Assert.SkipUnless(!isHuge || Engine.Capabilities.HugePages.IsAvailable, Engine.Capabilities.HugePages.Reason);
        ulong length = (ulong)pages * (isHuge ? PageSize.Huge : PageSize.Small);
        var request = MapRequest.PrivateAnonymous(length);
        if (kind != Kind.Anonymous)
        {
            IMemoryFile file = Own(Engine.CreateMemoryFile(new() { Name = "tracked", Size = length, HugePages = isHuge }).OrThrow("memfd_create"));
            request = kind is Kind.ShmemShared or Kind.HugetlbShared ? MapRequest.SharedFile(file, length) : MapRequest.PrivateFile(file, length);
        }

        SystemResult<VirtualAddress> mapped = Engine.Home.Map(in request);
        Assert.SkipUnless(mapped.Errno != Errno.ENOMEM || !isHuge, "The pool has no free huge pages: sysctl vm.nr_hugepages.");
        AddressRange range = new(mapped.OrThrow("mmap"), length);
        Own(new Mapping(Engine.Home, range));
        if (populated)
        {
            Engine.Home.Advise(range, Advice.PopulateWrite).OrThrow("MADV_POPULATE_WRITE", range);
        }

        IMemoryAccess access = Own(Engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor"));
        return (range, access, Own(DirtyTracker.Start(Engine, Engine.Home, range, tracking)));
    }

    /// <summary>Unmaps at the end.</summary>
    private sealed class Mapping(IAddressSpace space, AddressRange range) : IDisposable
    {
        public void Dispose() => space.Unmap(range).OrThrow("munmap", range);
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
