using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>Each row of the outcome table, provoked by the engine itself: what the client sees, and what was counted.</summary>
public abstract class OutcomeTests(IMemoryEngine engine) : PagerTests(engine)
{
    private PagerOptions OneHandler => new() { HandlerThreads = 1, LoadDeadline = System.TimeSpan.FromMilliseconds(400), TimeProvider = Clock };

    [Fact(Timeout = 200_000)]
    public async Task Continue_HoleAmongCachedPages_GoesOnAndLoadsTheHole()
    {
        await Task.Yield();
        TestStore store = new(16 * Page);
        Pager pager = NewPager(OneHandler);
        PagedImage image = pager.OpenImage(store);
        image.ReadAhead(0, store.Length);
        image.File.PunchHole(3 * Page, Page).OrThrow("punch");
        TestClient client = NewClient(pager, image);
        for (ulong page = 0; page < 16; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        // Partial (EAGAIN with a count), then EFAULT: the hole is loaded again, nothing else is.
        Assert.Equal(2, store.ReadsOf(3));
        Assert.Equal(1, store.ReadsOf(4));
        client.Counts(16, static s => s.PagesContinued);
    }

    [Fact(Timeout = 200_000)]
    public async Task Continue_PageInstalledByAnother_IsSkippedAndCounted()
    {
        await Task.Yield();
        TestStore store = new(16 * Page);
        Pager pager = NewPager(OneHandler);
        PagedImage image = pager.OpenImage(store);
        image.ReadAhead(0, store.Length);
        TestClient client = NewClient(pager, image);
        Assert.True(client.Context.Continue(client.Page(4)).IsOk);
        Assert.Equal(store.Expected(0), client.WordAt(0));
        Assert.Equal(store.Expected(15 * Page), client.WordAt(15 * Page));
        client.Counts(1, static s => s.Wakes);
        client.Counts(1, static s => s.AlreadyInstalled);
        client.Counts(15, static s => s.PagesContinued);
        client.Counts(1, static s => s.Faults);
    }

    [Fact(Timeout = 200_000)]
    public async Task Continue_AcrossTwoMappings_NarrowsToPages()
    {
        await Task.Yield();
        TestStore store = new(16 * Page);
        Pager pager = NewPager(OneHandler);
        PagedImage image = pager.OpenImage(store);
        image.ReadAhead(0, store.Length);
        TestClient client = NewClient(pager, image);
        client.Space.Protect(client.Page(8, 2), Protections.Read).OrThrow("mprotect");
        Assert.Equal(store.Expected(0), client.WordAt(0));
        client.Counts(16, static s => s.PagesContinued);
        Assert.Equal(store.Expected(9 * Page), client.WordAt(9 * Page));
        client.Counts(1, static s => s.Faults);
    }

    [Fact(Timeout = 200_000)]
    public async Task Continue_PageUnmappedMeanwhile_WakesItsWaiter()
    {
        TestStore store = new(16 * Page) { Stalls = static _ => true };
        Pager pager = NewPager(OneHandler);
        TestClient client = NewClient(pager, pager.OpenImage(store));
        Task<(AccessFault Fault, ulong Value)> waiting = client.BeginLoadAsync(2 * Page);
        Eventually(() => store.StalledReads == 1, "the read");
        client.Space.Unmap(client.Page(2)).OrThrow("munmap");
        store.Release();
        Assert.Equal(AccessFault.NotMapped, (await waiting).Fault);
        Assert.Equal(store.Expected(3 * Page), client.WordAt(3 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Continue_AddressSpaceGone_EndsTheClient()
    {
        TestStore store = new(16 * Page) { Stalls = static _ => true };
        Pager pager = NewPager(OneHandler);
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image);
        TestClient other = NewClient(pager, image);
        Task<(AccessFault Fault, ulong Value)> waiting = client.BeginLoadAsync(0);
        Task<(AccessFault Fault, ulong Value)> waitingToo = other.BeginLoadAsync(0);
        Eventually(() => store.StalledReads == 1 && pager.GetStatistics().Faults == 2, "both faults");
        client.Space.Dispose();
        Assert.Equal(AccessFault.Killed, (await waiting).Fault);
        store.Release();
        Assert.Equal(ClientEnd.Exited, await client.Paged.Completion.WaitAsync(Deadline, TestContext.Current.CancellationToken));
        Assert.Equal(store.Expected(0), (await waitingToo).Value);
        Assert.Single(pager.Clients);
    }

    [Fact(Timeout = 200_000)]
    public async Task Continue_BeyondEndOfShortenedFile_FailsOnlyThere()
    {
        await Task.Yield();
        TestStore store = new(16 * Page);
        Pager pager = NewPager(OneHandler);
        PagedImage image = pager.OpenImage(store);
        image.ReadAhead(0, store.Length);
        TestClient client = NewClient(pager, image);
        image.File.Truncate(8 * Page).OrThrow("ftruncate");

        // EINVAL for the neighbours beyond the end; the page asked for is there.
        Assert.Equal(store.Expected(0), client.WordAt(0));
        client.Counts(8, static s => s.PagesContinued);
        Assert.Equal(AccessFault.BusError, client.LoadFault(9 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Zeropage_BeyondEndOfShortenedFile_WakesAndGoesOn()
    {
        await Task.Yield();
        TestStore store = new(16 * Page) { IsZeroPage = static _ => true };
        Pager pager = NewPager(OneHandler);
        PagedImage image = pager.OpenImage(store);
        image.ReadAhead(0, store.Length);
        TestClient client = NewClient(pager, image);
        image.File.Truncate(8 * Page).OrThrow("ftruncate");
        Assert.Equal(0UL, client.WordAt(0));
        client.Counts(8, static s => s.PagesZeroed);
        Assert.Equal(AccessFault.BusError, client.LoadFault(9 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Zeropage_SharedHoleFilledMeanwhile_IsContinued()
    {
        // The pager finds the page by the fault of the lease's populate, and that is a fault of kernel mode.
        Assert.SkipUnless(Engine.Capabilities.KernelFaults.IsAvailable, Engine.Capabilities.KernelFaults.Reason);
        await Task.Yield();
        TestStore store = new(16 * Page) { IsZeroPage = static _ => true };
        Pager pager = NewPager(OneHandler);
        PagedMemory memory = Own(pager.Map(store, PagedMapping.Shared));
        memory.Image.ReadAhead(0, store.Length);
        memory.Image.File.Write(2 * Page, new byte[] { 7 }).OrThrow("pwrite");
        using (Lease lease = memory.Lease(2 * Page, 8))
        {
            Assert.Equal(7, lease.Bytes[0]);
        }

        Assert.Equal(1, memory.Image.GetStatistics().CachedPages);
    }

    [Fact(Timeout = 200_000)]
    public async Task Copy_PageInstalledByAnother_IsSkipped()
    {
        TestStore store = new(16 * Page) { Stalls = static _ => true };
        Pager pager = NewPager(OneHandler);
        TestClient client = NewClient(pager, pager.OpenImage(store), RegionKind.Copied);
        Task<(AccessFault Fault, ulong Value)> waiting = client.BeginLoadAsync(2 * Page);
        Eventually(() => store.StalledReads == 1, "the read");
        byte[] mine = new byte[Page];
        mine[0] = 9;
        Assert.True(client.Context.Copy(client.At(5 * Page), mine).IsOk);
        store.Release();
        Assert.Equal(store.Expected(2 * Page), (await waiting).Value);
        Assert.Equal(9UL, client.WordAt(5 * Page));
        Assert.Equal(store.Expected(6 * Page), client.WordAt(6 * Page));
        client.Counts(1, static s => s.AlreadyInstalled);
    }

    [Fact(Timeout = 200_000)]
    public async Task Copy_BeyondEndOfShortenedFile_WakesAndGoesOn()
    {
        await Task.Yield();
        TestStore store = new(16 * Page);
        Pager pager = NewPager(OneHandler);
        PagedImage image = pager.OpenImage(store);
        using IMemoryFile file = Engine.CreateMemoryFile(new() { Name = "short", Size = 16 * Page }).OrThrow("memfd_create");
        TestClient client = NewFileClient(pager, image, file);
        file.Truncate(8 * Page).OrThrow("ftruncate");
        Assert.Equal(store.Expected(8), client.WordAt(8));
        client.Counts(8, static s => s.PagesCopied);
        Assert.Equal(AccessFault.BusError, client.LoadFault(8 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Copy_NoMemory_IsAnErrorWhenTheDeadlinePasses()
    {
        await Task.Yield();
        Assert.SkipUnless(Engine.Capabilities.LimitedFiles.IsAvailable, Engine.Capabilities.LimitedFiles.Reason);
        TestStore store = new(64 * Page);
        Pager pager = NewPager(OneHandler);
        PagedImage image = pager.OpenImage(store);
        using IMemoryFile file = Engine.CreateMemoryFile(new() { Name = "small", Size = 64 * Page, LimitBytes = 16 * Page }).OrThrow("a limited file");
        TestClient client = NewFileClient(pager, image, file);
        Assert.Equal(store.Expected(8), client.WordAt(8));
        Assert.Equal(AccessFault.BusError, WhileTimePasses(() => client.LoadFault(20 * Page)));
        Assert.True(client.Paged.GetStatistics().ParkedFaults > 0);
        client.Counts(1, static s => s.PagesPoisoned);
        Assert.Equal(store.Expected(15 * Page), client.WordAt(15 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task CacheWrite_NoSpace_IsAnErrorOfThatPageAlone()
    {
        await Task.Yield();
        PagedMemory memory = MapWithSpaceFor(16, OneHandler with { LoadBytes = 4096, NeighbourPages = 1, SequentialWindowBytes = 4096 });
        for (ulong page = 0; page < 16; page++)
        {
            Assert.Equal(TestStore.WordAt(page * Page), WordOf(memory, page));
        }

        PageLoadException failure = WhileTimePasses(() => Assert.Throws<PageLoadException>(() => WordOf(memory, 20)));
        Assert.Equal(Errno.ENOSPC, Assert.IsType<MemoryEngineException>(failure.InnerException, exactMatch: false).Errno);
        Assert.Equal(TestStore.WordAt(3 * Page), WordOf(memory, 3));

        // With space again, the same page is loaded again.
        memory.Image.File.PunchHole(0, Page).OrThrow("punch");
        Assert.Equal(TestStore.WordAt(20 * Page), WordOf(memory, 20));
    }

    [Fact(Timeout = 200_000)]
    public async Task CacheWrite_NoSpaceWhereSomethingCanGo_Evicts()
    {
        await Task.Yield();
        PagedMemory memory = MapWithSpaceFor(
            16, OneHandler with { LoadBytes = 4096, NeighbourPages = 1, SequentialWindowBytes = 4096, BudgetBytes = 32 * Page });
        for (ulong page = 0; page < 64; page++)
        {
            Assert.Equal(TestStore.WordAt(page * Page), WordOf(memory, page));
        }

        Assert.True(memory.Image.GetStatistics().PagesEvicted >= 48);
    }

    [Fact(Timeout = 200_000)]
    public async Task Poison_PageInstalledByAnother_WakesItsWaiter()
    {
        TestStore store = new(16 * Page) { Stalls = static _ => true };
        Pager pager = NewPager(OneHandler);
        TestClient client = NewClient(pager, pager.OpenImage(store), RegionKind.Copied);
        Task<(AccessFault Fault, ulong Value)> waiting = client.BeginLoadAsync(2 * Page);
        Eventually(() => store.StalledReads == 1, "the read");
        byte[] mine = new byte[Page];
        mine[0] = 9;
        Assert.True(client.Context.Copy(client.At(2 * Page), mine, FillModes.DontWake).IsOk);
        store.ShortBy = 1;
        store.Release();
        Assert.Equal((AccessFault.None, 9UL), await waiting);
        client.Counts(1, static s => s.AlreadyInstalled);
        client.Counts(0, static s => s.PagesPoisoned);
    }

    [Fact(Timeout = 200_000)]
    public async Task Poison_BeyondEndOfShortenedFile_WakesItsWaiter()
    {
        TestStore store = new(16 * Page) { Stalls = static _ => true };
        Pager pager = NewPager(OneHandler);
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image);
        Task<(AccessFault Fault, ulong Value)> waiting = client.BeginLoadAsync(12 * Page);
        Eventually(() => store.StalledReads == 1, "the read");
        image.File.Truncate(8 * Page).OrThrow("ftruncate");
        store.ShortBy = 1;
        store.Release();
        Assert.Equal(AccessFault.BusError, (await waiting).Fault);
        client.Counts(0, static s => s.PagesPoisoned);
    }

    [Fact(Timeout = 200_000)]
    public async Task Read_AddressNobodyServes_IsAnErrorWhenTheDeadlinePasses()
    {
        await Task.Yield();
        TestStore store = new(16 * Page);
        Pager pager = NewPager(OneHandler);
        TestClient client = NewClient(pager, pager.OpenImage(store));
        VirtualAddress stray = client.Space.Map(MapRequest.PrivateAnonymous(Page)).OrThrow("mmap");
        Assert.True(client.Context.Register(new AddressRange(stray, Page), RegisterModes.Missing).IsOk);
        Assert.Equal(AccessFault.BusError, WhileTimePasses(() => client.Access.Load(stray, out _).Fault));
    }

    [Fact(Timeout = 200_000)]
    public async Task WriteProtect_Fault_IsUnprotected()
    {
        await Task.Yield();
        TestStore store = new(16 * Page);
        Pager pager = NewPager(OneHandler);
        TestClient client = NewClient(pager, pager.OpenImage(store), RegionKind.Copied);
        Assert.True(client.Context.Register(client.Range, RegisterModes.Missing | RegisterModes.WriteProtect).IsOk);
        client.WordAt(0);
        Assert.True(client.Context.WriteProtect(client.Page(0), WriteProtectModes.Protect).IsOk);
        client.SetWord(0, 77);
        Assert.Equal(77UL, client.WordAt(0));
        client.Counts(1, static s => s.WriteProtectFaults);
    }

    /// <summary>A shared mapping of some other file, served by copies.</summary>
    private TestClient NewFileClient(Pager pager, PagedImage image, IMemoryFile file)
    {
        IAddressSpace space = Engine.CreateAddressSpace().OrThrow("an address space");
        AddressRange range = new(space.Map(MapRequest.SharedFile(file, image.MappedLength)).OrThrow("mmap"), image.MappedLength);
        return NewClient(pager, space, range, image, RegionKind.Copied);
    }

    private static ulong WordOf(PagedMemory memory, ulong page)
    {
        using Lease lease = memory.Lease(page * Page, 8);
        return System.BitConverter.ToUInt64(lease.Bytes);
    }

    /// <summary>64 pages of paged memory, whose image may hold fewer of them at a time than the budget says.</summary>
    private PagedMemory MapWithSpaceFor(ulong pages, PagerOptions options)
    {
        Assert.SkipUnless(Engine.Capabilities.LimitedFiles.IsAvailable, Engine.Capabilities.LimitedFiles.Reason);
        Pager pager = Own(new Pager(new GatedEngine(Engine, pages * Page), options));
        return Own(pager.Map(new TestStore(64 * Page)));
    }
}
