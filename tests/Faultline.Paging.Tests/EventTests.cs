using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>Clients whose address space changes under the pager, and that tell.</summary>
public abstract class EventTests(IMemoryEngine engine) : PagerTests(engine)
{
    [Theory(Timeout = 200_000)]
    [InlineData(RegionKind.PrivateImage)]
    [InlineData(RegionKind.Copied)]
    public async Task DontNeed_Pages_ReadAsZeroAfterwards(RegionKind kind)
    {
        await Task.Yield();
        TestStore store = new(64 * Page);
        Pager pager = NewPager();
        TestClient client = NewClient(pager, pager.OpenImage(store), kind, Events);
        Assert.Equal(store.Expected(3 * Page), client.WordAt(3 * Page));
        client.Space.Advise(client.Page(2, 20), Advice.DontNeed).OrThrow("madvise");
        for (ulong page = 0; page < 64; page++)
        {
            Assert.Equal(page is >= 2 and < 22 ? 0 : store.Expected(page * Page), client.WordAt(page * Page));
        }

        client.Counts(1, static s => s.Events);
    }

    [Fact(Timeout = 200_000)]
    public async Task DontNeed_SharedMapping_KeepsTheCache()
    {
        await Task.Yield();
        TestStore store = new(16 * Page);
        Pager pager = NewPager();
        TestClient client = NewClient(pager, pager.OpenImage(store), RegionKind.SharedImage, Events);
        client.SetWord(2 * Page, 42);
        client.Space.Advise(client.Page(0, 16), Advice.DontNeed).OrThrow("madvise");
        Assert.Equal(42UL, client.WordAt(2 * Page));
        Assert.Equal(store.Expected(3 * Page), client.WordAt(3 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Remove_SharedMapping_ReadsAsZeroForAll()
    {
        await Task.Yield();
        TestStore store = new(16 * Page);
        Pager pager = NewPager();
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image, RegionKind.SharedImage, Events);
        TestClient other = NewClient(pager, image, RegionKind.SharedImage);
        Assert.Equal(store.Expected(2 * Page), client.WordAt(2 * Page));
        client.Space.Advise(client.Page(2), Advice.Remove).OrThrow("madvise");
        Assert.Equal(0UL, client.WordAt(2 * Page));
        Assert.Equal(0UL, other.WordAt(2 * Page));
        Assert.Equal(1, store.ReadsOf(2));
    }

    [Fact(Timeout = 200_000)]
    public async Task Unmap_TheMiddle_LeavesBothEndsServed()
    {
        await Task.Yield();
        TestStore store = new(64 * Page);
        Pager pager = NewPager();
        TestClient client = NewClient(pager, pager.OpenImage(store), features: Events);
        client.Space.Unmap(client.Page(16, 16)).OrThrow("munmap");
        Eventually(() => client.Paged.Regions.Count == 2, "the split");
        Assert.Equal(client.Page(0, 16), client.Paged.Regions[0]);
        Assert.Equal(client.Page(32, 32), client.Paged.Regions[1]);
        Assert.Equal(store.Expected(15 * Page), client.WordAt(15 * Page));
        Assert.Equal(store.Expected(32 * Page), client.WordAt(32 * Page));
        Assert.Equal(AccessFault.NotMapped, client.LoadFault(20 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Unmap_PageWithWaiter_WakesIt()
    {
        TestStore store = new(16 * Page) { Stalls = static _ => true };
        Pager pager = NewPager();
        TestClient client = NewClient(pager, pager.OpenImage(store), features: Events);
        Task<(AccessFault Fault, ulong Value)> waiting = client.BeginLoadAsync(2 * Page);
        Eventually(() => store.StalledReads == 1, "the read");
        client.Space.Unmap(client.Range).OrThrow("munmap");
        Assert.Equal(AccessFault.NotMapped, (await waiting).Fault);
        store.Release();
    }

    [Theory(Timeout = 200_000)]
    [InlineData(RegionKind.PrivateImage)]
    [InlineData(RegionKind.Copied)]
    public async Task Remap_Region_IsServedInItsNewPlace(RegionKind kind)
    {
        await Task.Yield();
        TestStore store = new(64 * Page);
        Pager pager = NewPager();
        TestClient client = NewClient(pager, pager.OpenImage(store), kind, Events);
        client.SetWord(Page, 42);
        VirtualAddress target = client.Space.Map(MapRequest.PrivateAnonymous(64 * Page)).OrThrow("mmap");
        client.Space.Remap(client.Range, client.Range.Length, RemapOptions.MayMove | RemapOptions.Fixed, target).OrThrow("mremap");
        Eventually(() => client.Paged.Regions.Count == 1, "the old place's end");
        Assert.Equal(target, client.Paged.Regions.Single().Start);
        Assert.True(client.Access.Load(target + Page, out ulong kept).IsOk);
        Assert.Equal(42UL, kept);
        for (ulong page = 2; page < 64; page++)
        {
            Assert.True(client.Access.Load(target + (page * Page), out ulong value).IsOk);
            Assert.Equal(store.Expected(page * Page), value);
        }

        Assert.Equal(AccessFault.NotMapped, client.LoadFault(0));
    }

    [Theory(Timeout = 200_000)]
    [InlineData(RegionKind.PrivateImage)]
    [InlineData(RegionKind.Copied)]
    public async Task Fork_Child_IsServedWithItsOwnCopies(RegionKind kind)
    {
        await Task.Yield();
        TestStore store = new(64 * Page);
        Pager pager = NewPager();
        TestClient client = NewClient(pager, pager.OpenImage(store), kind, Events);
        client.SetWord(Page, 42);
        using IAddressSpace child = client.Space.Fork().OrThrow("fork");
        using IMemoryAccess access = child.OpenAccess().OrThrow("accessor");
        Assert.True(access.Load(client.At(Page), out ulong kept).IsOk);
        Assert.Equal(42UL, kept);
        Assert.True(access.Store(client.At(Page), 43).IsOk);
        Assert.Equal(42UL, client.WordAt(Page));
        for (ulong page = 2; page < 64; page++)
        {
            Assert.True(access.Load(client.At(page * Page), out ulong value).IsOk);
            Assert.Equal(store.Expected(page * Page), value);
        }

        PagerClient forked = pager.Clients.Single(other => other.Parent == client.Paged);
        Assert.True(forked.GetStatistics().Faults > 0);
        child.Advise(client.Page(5), Advice.DontNeed).OrThrow("madvise");
        Assert.True(access.Load(client.At(5 * Page), out ulong dropped).IsOk);
        Assert.Equal(0UL, dropped);
        Assert.Equal(store.Expected(5 * Page), client.WordAt(5 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task DontNeed_WhileOthersFault_NeverBringsBackWhatWasDropped()
    {
        // The thread that drops pages runs on as soon as its event is read. From then on it must see zeroes, whatever installs were under way.
        TestStore store = new(256 * Page);
        Pager pager = NewPager();
        TestClient client = NewClient(pager, pager.OpenImage(store), features: Events);
        bool stop = false;
        using IMemoryAccess otherAccess = client.Space.OpenAccess().OrThrow("accessor");
        var other = Task.Run(() =>
        {
            for (ulong round = 0; !Volatile.Read(ref stop); round++)
            {
                Assert.True(otherAccess.Load(client.At(round * 7 % 256 * Page), out _).IsOk);
            }
        }, TestContext.Current.CancellationToken);
        for (ulong round = 0; round < 400; round++)
        {
            ulong page = round * 13 % 252;
            client.Space.Advise(client.Page(page, 4), Advice.DontNeed).OrThrow("madvise");
            Assert.Equal(0UL, client.WordAt(page * Page));
            Assert.Equal(0UL, client.WordAt((page + 3) * Page));
        }

        Volatile.Write(ref stop, true);
        await other.WaitAsync(Deadline, TestContext.Current.CancellationToken);

        Eventually(() => client.Paged.GetStatistics() is { } now && now.ParkedFaults == now.RetriedFaults, "the last retry");
        client.Counts(400, static s => s.Events);
    }

    [Fact(Timeout = 200_000)]
    public async Task DontNeed_ClockStandsStill_FaultsAreStillToldApart()
    {
        await Task.Yield();
        TestStore store = new(16 * Page);
        Pager pager = NewPager(new PagerOptions { TimeProvider = new StoppedClock() });
        TestClient client = NewClient(pager, pager.OpenImage(store), RegionKind.SharedImage, Events);
        for (int round = 0; round < 200; round++)
        {
            Assert.Equal(store.Expected(3 * Page), client.WordAt(3 * Page));
            client.Space.Advise(client.Range, Advice.DontNeed).OrThrow("madvise");
        }
    }

    [Fact(Timeout = 200_000)]
    public async Task Install_WhileAnEventIsUnread_IsPutAsideAndTriedAgain()
    {
        using BlockingStore store = new(64 * Page);
        Pager pager = NewPager(new PagerOptions { HandlerThreads = 1 });
        PagedImage image = pager.OpenImage(store, ownership: StoreOwnership.Caller);
        TestClient client = NewClient(pager, image, features: Events);
        Task<(AccessFault Fault, ulong Value)> waiting = client.BeginLoadAsync(0);
        Eventually(() => image.GetStatistics().LoadingPages > 0, "the read");

        // The only handler is held up in the store, so nobody reads the event, and every install answers EAGAIN from here on.
        Task<SystemResult> dropping = Task.Run(() => client.Space.Advise(client.Page(40), Advice.DontNeed), TestContext.Current.CancellationToken);
        Eventually(() => client.Context.Continue(client.Page(30)).IsChanging, "the event");
        Assert.False(dropping.IsCompleted);
        store.Unblock();
        Assert.Equal((AccessFault.None, BlockingStore.Word), await waiting);
        Assert.True((await dropping.WaitAsync(Deadline, TestContext.Current.CancellationToken)).IsOk);
        Assert.True(client.Paged.GetStatistics().ParkedFaults > 0);
        Eventually(() => client.Paged.GetStatistics() is { } now && now.ParkedFaults == now.RetriedFaults, "the last retry");
    }

    [Fact(Timeout = 200_000)]
    public async Task DontNeed_WhileAnInstallIsUnderWay_IsReadAfterIt()
    {
        Assert.SkipUnless(Engine.Capabilities.ManyAddressSpaces.IsAvailable, Engine.Capabilities.ManyAddressSpaces.Reason);
        Assert.SkipUnless(Engine.Capabilities.KernelFaults.IsAvailable, Engine.Capabilities.KernelFaults.Reason);
        TestStore store = new(16 * Page);
        Pager pager = Own(new Pager(new GatedEngine(Engine), new PagerOptions { HandlerThreads = 2 }));
        PagedImage image = pager.OpenImage(store);
        image.ReadAhead(0, store.Length);
        IAddressSpace space = Engine.CreateAddressSpace().OrThrow("an address space");
        AddressRange range = new(space.Map(MapRequest.PrivateFile(image.File, image.MappedLength)).OrThrow("mmap"), image.MappedLength);
        GatedUserfaultfd context = new(UserfaultfdHandshake.Open(space, Events).OrThrow("userfaultfd"));
        PagerClient paged = pager.Attach(context);
        TestClient client = Own(new TestClient(space, context, range, paged));
        paged.AddRegion(range, image, 0, RegionKind.PrivateImage);

        // One handler has decided to CONTINUE pages 0 to 15, and stands before the call; the other is free to read what comes.
        context.Shut();
        Task<(AccessFault Fault, ulong Value)> waiting = client.BeginLoadAsync(8 * Page);
        Assert.True(context.WaitForArrival());
        Task<SystemResult> dropping = Task.Run(() => space.Advise(client.Page(2), Advice.DontNeed), TestContext.Current.CancellationToken);
        Pause(200);

        // If the event were read now, the thread that drops page 2 would run on, and the CONTINUE would bring the page back after it.
        Assert.False(dropping.IsCompleted);
        context.Open();
        Assert.True((await dropping.WaitAsync(Deadline, TestContext.Current.CancellationToken)).IsOk);
        Assert.Equal(0UL, client.WordAt(2 * Page));
        Assert.Equal((AccessFault.None, store.Expected(8 * Page)), await waiting);
    }
}
