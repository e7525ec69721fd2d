using System;
using System.IO;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>Stores that fail, stall, and recover: a definite answer, in time, and the rest goes on.</summary>
public abstract class StoreFailureTests(IMemoryEngine engine) : PagerTests(engine)
{
    private static readonly TimeSpan Briefly = TimeSpan.FromMilliseconds(200);

    [Theory(Timeout = 200_000)]
    [InlineData(RegionKind.PrivateImage)]
    [InlineData(RegionKind.SharedImage)]
    [InlineData(RegionKind.Copied)]
    public async Task Load_StoreFails_IsABusErrorThereOnly(RegionKind kind)
    {
        await Task.Yield();
        TestStore store = new(64 * Page) { Fails = static page => page is >= 16 and < 32 };
        Pager pager = NewPager(new PagerOptions { SequentialWindowBytes = 64 << 10 });
        TestClient client = NewClient(pager, pager.OpenImage(store), kind);
        Assert.Equal(AccessFault.BusError, client.LoadFault(20 * Page));
        for (ulong page = 0; page < 64; page += page == 15 ? 17UL : 1UL)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        Assert.True(pager.GetStatistics().FailedLoads > 0);
        client.Counts(1, static s => s.PagesPoisoned);
    }

    [Theory(Timeout = 200_000)]
    [InlineData(RegionKind.PrivateImage)]
    [InlineData(RegionKind.SharedImage)]
    [InlineData(RegionKind.Copied)]
    public async Task Load_OnePageOfManyIsBad_FailsForThatPageOnly_AndWorksWhenRepaired(RegionKind kind)
    {
        await Task.Yield();
        TestStore store = new(64 * Page) { BadPage = 7 };
        Pager pager = NewPager();
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image, kind);
        for (ulong page = 0; page < 64; page += page == 6 ? 2UL : 1UL)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        Assert.Equal(AccessFault.BusError, client.LoadFault(7 * Page));
        client.Counts(1, static s => s.PagesPoisoned);
        store.BadPage = null;
        TestClient other = NewClient(pager, image, kind);
        Assert.Equal(store.Expected(7 * Page), other.WordAt(7 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Lease_OnePageBesideItIsBad_DoesNotConcernIt()
    {
        TestStore store = new(64 * Page) { BadPage = 7, AnswersLater = true };
        Pager pager = NewPager();
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image);
        PagedMemory memory = Own(pager.Map(image));

        // The lease joins the load that the fault began, or finds what it left.
        Task<(AccessFault Fault, ulong Value)> fault = client.BeginLoadAsync(7 * Page);
        using (Lease lease = memory.Lease(3 * Page, 4096))
        {
            Assert.Equal(store.Expected(3 * Page), BitConverter.ToUInt64(lease.Bytes));
        }

        Assert.Equal(AccessFault.BusError, (await fault).Fault);
        Assert.Throws<PageLoadException>(() => memory.Lease(0, 16 * 4096).Dispose());
        store.BadPage = null;
        using Lease whole = memory.Lease(0, 16 * 4096);
        Assert.Equal(store.Expected(7 * Page), BitConverter.ToUInt64(whole.Bytes[(7 * 4096)..]));
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_AfterAFailure_GrowsLargeAgain()
    {
        await Task.Yield();
        TestStore store = new(256 * Page) { Fails = static _ => true };
        Pager pager = NewPager(new PagerOptions { SequentialWindowBytes = 64 << 10 });
        PagedImage image = pager.OpenImage(store);
        Assert.Throws<PageLoadException>(() => image.ReadAhead(0, 256 * Page));
        Assert.Equal(256, image.GetStatistics().FailedPages);
        store.Fails = static _ => false;
        image.ReadAhead(0, Page);
        Assert.InRange(image.GetStatistics().FailedPages, 200, 240);
        long before = image.GetStatistics().StoreReads;
        image.ReadAhead(0, 16 * Page);
        Assert.Equal(1, image.GetStatistics().StoreReads - before);
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_ShortReadInTheMiddle_IsAnError()
    {
        await Task.Yield();
        TestStore store = new(64 * Page) { ShortBy = 1 };
        Pager pager = NewPager();
        TestClient client = NewClient(pager, pager.OpenImage(store));
        Assert.Equal(AccessFault.BusError, client.LoadFault(0));
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_StoreStalls_EndsAtTheDeadlineWhileOthersGoOn()
    {
        TestStore store = new(64 * Page) { Stalls = static page => page < 16 };
        Pager pager = NewPager(new PagerOptions { LoadDeadline = Briefly, TimeProvider = Clock, HandlerThreads = 1 });
        TestClient client = NewClient(pager, pager.OpenImage(store));
        Task<(AccessFault Fault, ulong Value)> stalled = client.BeginLoadAsync(3 * Page);
        Eventually(() => store.StalledReads == 1, "the read");
        Assert.Equal(store.Expected(20 * Page), client.WordAt(20 * Page));
        Clock.Pass(Briefly - TimeSpan.FromMilliseconds(1));
        Pause(100);
        Assert.False(stalled.IsCompleted);
        Clock.Pass(TimeSpan.FromMilliseconds(2));
        Assert.Equal(AccessFault.BusError, (await stalled).Fault);
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_LateAnswer_DoesNotReachAnyone()
    {
        TestStore store = new(64 * Page) { Stalls = static page => page < 16 };
        Pager pager = NewPager(new PagerOptions { LoadDeadline = Briefly, TimeProvider = Clock });
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image);
        Assert.Equal(AccessFault.BusError, WhileTimePasses(() => client.LoadFault(3 * Page)));
        Assert.Equal(16, image.GetStatistics().FailedPages);
        store.Release();
        Pause(50);
        Assert.Equal(16, image.GetStatistics().FailedPages);
        Assert.Equal(0UL, image.File.GetStatus().OrThrow("fstat").Blocks);

        // Another client asks anew, and the store has recovered.
        TestClient other = NewClient(pager, image);
        Assert.Equal(store.Expected(3 * Page), other.WordAt(3 * Page));
        Assert.Equal(AccessFault.BusError, client.LoadFault(3 * Page));
        await Task.CompletedTask;
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_HandlersHeldUpInAStore_StillEndsAtTheDeadline()
    {
        using BlockingStore store = new(16 * Page);
        Pager pager = NewPager(new PagerOptions { LoadDeadline = TimeSpan.FromMilliseconds(300), HandlerThreads = 1 });
        TestClient client = NewClient(pager, pager.OpenImage(store, ownership: StoreOwnership.Caller));
        Task<(AccessFault Fault, ulong Value)> stalled = client.BeginLoadAsync(0);
        Assert.Equal(AccessFault.BusError, (await stalled).Fault);
        store.Unblock();
    }

    [Theory(Timeout = 200_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Lease_StoreFails_ThrowsAndCanBeTriedAgain(bool isZero)
    {
        await Task.Yield();
        TestStore store = new(64 * Page) { Fails = static page => page < 16, IsZeroPage = page => isZero && page == 2 };
        Pager pager = NewPager();
        PagedMemory memory = Own(pager.Map(store));
        PageLoadException failed = Assert.Throws<PageLoadException>(() => memory.Lease(2 * Page, 100).Dispose());
        Assert.IsType<IOException>(failed.InnerException);
        Assert.Equal("image", failed.Image);
        Assert.Equal(2 * Page, failed.Offset);

        // A fault leaves an error in the page table; the lease replaces it when the store has recovered.
        using IMemoryAccess access = Engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("accessor");
        Assert.Equal(AccessFault.BadAddress, access.Load(memory.Range.Start + (2 * Page), out _).Fault);
        store.Fails = static _ => false;
        using (Lease lease = memory.Lease(2 * Page, 8))
        {
            Assert.Equal(store.Expected(2 * Page), BitConverter.ToUInt64(lease.Bytes));
        }

        Assert.True(access.Load(memory.Range.Start + (2 * Page), out ulong value).IsOk);
        Assert.Equal(store.Expected(2 * Page), value);
    }

    [Fact(Timeout = 200_000)]
    public async Task Lease_StoreStalls_ThrowsAtTheDeadline()
    {
        await Task.Yield();
        TestStore store = new(64 * Page) { Stalls = static _ => true };
        Pager pager = NewPager(new PagerOptions { LoadDeadline = Briefly, TimeProvider = Clock });
        PagedMemory memory = Own(pager.Map(store));
        PageLoadException failed = WhileTimePasses(() => Assert.Throws<PageLoadException>(() => memory.Lease(0, 100).Dispose()));
        Assert.IsType<TimeoutException>(failed.InnerException);
        store.Release();
        using Lease lease = memory.Lease(0, 100);
        Assert.Equal(store.Expected(0), BitConverter.ToUInt64(lease.Bytes));
    }
}
