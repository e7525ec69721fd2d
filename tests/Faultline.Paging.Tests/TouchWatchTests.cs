using System;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>Touches of pages that are mapped already are noticed now and then, and nothing is lost by it.</summary>
public abstract class TouchWatchTests(IMemoryEngine engine) : PagerTests(engine)
{
    private const ulong Pages = 2048;
    private const ulong Budget = 512 * Page;
    private const ulong Hot = 32;
    private const int Passes = 8;

    private static readonly PagerOptions Small = new()
    {
        LoadBytes = (int)(4 * Page),
        SequentialWindowBytes = (int)(4 * Page),
        NeighbourPages = 4,
        BudgetBytes = Budget,
    };

    [Fact(Timeout = 200_000)]
    public async Task Touch_SomePagesAllTheTime_TheyStayAndCostFewFaults()
    {
        await Task.Yield();
        TestStore store = new(Pages * Page);
        Pager pager = NewPager(Small);
        PagedMemory memory = Own(pager.Map(store));
        using IMemoryAccess access = Engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
        int touches = 0;
        for (int pass = 0; pass < Passes; pass++)
        {
            for (ulong page = Hot; page < Pages; page++)
            {
                Touch(access, memory, store, page);
                Touch(access, memory, store, page % Hot);
                touches += 2;
            }
        }

        int hotReads = 0;
        for (ulong page = 0; page < Hot; page++)
        {
            hotReads = Math.Max(hotReads, store.ReadsOf(page));
        }

        // A quarter of them has room: one or the other may stay from pass to pass.
        int coldReads = 0;
        for (ulong page = Hot; page < Pages; page++)
        {
            coldReads += store.ReadsOf(page);
        }

        PagerStatistics statistics = pager.GetStatistics();
        Assert.InRange(hotReads, 1, Passes / 2);
        Assert.True(coldReads >= Passes * (int)(Pages - Hot) / 2, $"The cold pages went: {coldReads} reads of them in {Passes} passes.");
        Assert.InRange(statistics.MinorFaults, 1, touches / 8);
        Assert.InRange(memory.Image.GetStatistics().ResidentBytes, 1, (long)Budget);
    }

    [Theory(Timeout = 200_000)]
    [InlineData(PagedMapping.Private)]
    [InlineData(PagedMapping.Shared)]
    public async Task Write_WhileTouchesAreWatched_NothingIsLost(PagedMapping sharing)
    {
        WritableTestStore store = new(Pages * Page);
        Pager pager = NewPager(Small);
        PagedImage image = pager.OpenImage(store);
        PagedMemory memory = Own(pager.Map(image, sharing));
        using CancellationTokenSource stop = new();
        Task<ulong> writing = Task.Factory.StartNew(
            () => WriteGenerations(memory, stop.Token), TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        using IMemoryAccess access = Engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
        for (int pass = 0; pass < 4; pass++)
        {
            for (ulong page = Hot; page < Pages; page++)
            {
                Assert.True(access.Load(memory.Range.Start + (page * Page), out ulong word).IsOk);
                Assert.Equal(TestStore.WordAt(page * Page), word);
            }
        }

        await stop.CancelAsync();
        Assert.True(await writing.WaitAsync(Deadline, TestContext.Current.CancellationToken) > 100);
        Assert.True(pager.GetStatistics().PagesEvicted > (long)Pages);
    }

    [Fact(Timeout = 200_000)]
    public async Task Lease_WhileTouchesAreWatched_StaysInPlace()
    {
        await Task.Yield();
        TestStore store = new(Pages * Page);
        Pager pager = NewPager(Small);
        PagedMemory memory = Own(pager.Map(store));
        using IMemoryAccess access = Engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
        using Lease lease = memory.Lease(9 * Page, (int)(2 * Page));
        for (ulong page = 12; page < Pages; page++)
        {
            Touch(access, memory, store, page);
            Touch(access, memory, store, 13 + (page % 3));
            var entries = new PagemapEntry[2];
            if (page % 64 == 0)
            {
                Engine.Home.Inspector.ReadPagemap(memory.Range.Start + (9 * Page), entries).OrThrow("pagemap");
                Assert.True(entries[0].IsPresent && entries[1].IsPresent);
            }
        }

        Assert.Equal(store.Expected(9 * Page), BitConverter.ToUInt64(lease.Bytes));
    }

    private static void Touch(IMemoryAccess access, PagedMemory memory, TestStore store, ulong page)
    {
        Assert.True(access.Load(memory.Range.Start + (page * Page), out ulong word).IsOk);
        Assert.Equal(store.Expected(page * Page), word);
    }

    /// <summary>Writes rising numbers to the first pages, past the pager, and finds each where it was written.</summary>
    private ulong WriteGenerations(PagedMemory memory, CancellationToken stop)
    {
        using IMemoryAccess access = Engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
        ulong[] last = new ulong[Hot];
        ulong generation = 0;
        while (!stop.IsCancellationRequested)
        {
            ulong page = generation++ % Hot;
            VirtualAddress word = memory.Range.Start + (page * Page);
            Assert.True(access.Load(word, out ulong found).IsOk);
            Assert.Equal(last[page] == 0 ? TestStore.WordAt(page * Page) : last[page], found);
            last[page] = generation;
            Assert.True(access.Store(word, generation).IsOk);
        }

        return generation;
    }
}
