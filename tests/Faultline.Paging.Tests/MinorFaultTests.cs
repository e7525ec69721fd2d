using System.Linq;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>Images restored through minor faults: contents, sharing, neighbours, zero pages.</summary>
public abstract class MinorFaultTests(IMemoryEngine engine) : PagerTests(engine)
{
    [Theory(Timeout = 200_000)]
    [InlineData(RegionKind.PrivateImage)]
    [InlineData(RegionKind.SharedImage)]
    [InlineData(RegionKind.Copied)]
    public async Task Load_EveryPageInOrder_ReadsTheStore(RegionKind kind)
    {
        await Task.Yield();
        TestStore store = new(200 * Page);
        Pager pager = NewPager();
        TestClient client = NewClient(pager, pager.OpenImage(store), kind);
        for (ulong offset = 0; offset < store.Length; offset += Page)
        {
            Assert.Equal(store.Expected(offset + 24), client.WordAt(offset + 24));
        }

        Assert.Equal(1, store.MostReads());
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_TwoClones_SecondNeedsNoStoreRead()
    {
        await Task.Yield();
        TestStore store = new(64 * Page);
        Pager pager = NewPager();
        PagedImage image = pager.OpenImage(store);
        TestClient first = NewClient(pager, image);
        for (ulong page = 0; page < 64; page++)
        {
            first.WordAt(page * Page);
        }

        long reads = image.GetStatistics().StoreReads;
        TestClient second = NewClient(pager, image);
        for (ulong page = 0; page < 64; page++)
        {
            Assert.Equal(store.Expected(page * Page), second.WordAt(page * Page));
        }

        Assert.Equal(reads, image.GetStatistics().StoreReads);
        second.Counts(0, static s => s.MissingFaults);
        Assert.True(second.Paged.GetStatistics().MinorFaults > 0);
        Assert.Equal(64, image.GetStatistics().CachedPages);
        Assert.Equal(64UL * Page, image.File.GetStatus().OrThrow("fstat").Blocks * 512);
    }

    [Fact(Timeout = 200_000)]
    public async Task Store_InClone_IsSeenByItAlone()
    {
        await Task.Yield();
        TestStore store = new(16 * Page);
        Pager pager = NewPager();
        PagedImage image = pager.OpenImage(store);
        TestClient writer = NewClient(pager, image);
        TestClient reader = NewClient(pager, image);
        writer.SetWord((5 * Page) + 8, 42);
        Assert.Equal(42UL, writer.WordAt((5 * Page) + 8));
        Assert.Equal(store.Expected((5 * Page) + 16), writer.WordAt((5 * Page) + 16));
        Assert.Equal(store.Expected((5 * Page) + 8), reader.WordAt((5 * Page) + 8));
    }

    [Fact(Timeout = 200_000)]
    public async Task Store_InSharedMapping_IsSeenByOthers()
    {
        await Task.Yield();
        TestStore store = new(16 * Page) { IsZeroPage = page => page == 3 };
        Pager pager = NewPager();
        PagedImage image = pager.OpenImage(store);
        TestClient writer = NewClient(pager, image, RegionKind.SharedImage);
        TestClient reader = NewClient(pager, image, RegionKind.SharedImage);
        writer.SetWord(2 * Page, 42);
        Assert.Equal(42UL, reader.WordAt(2 * Page));
        Assert.Equal(0UL, reader.WordAt(3 * Page));
        writer.SetWord(3 * Page, 43);
        Assert.Equal(43UL, reader.WordAt(3 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_ZeroPages_TakeNoMemory()
    {
        await Task.Yield();
        TestStore store = new(256 * Page) { IsZeroPage = page => page % 4 != 0 };
        Pager pager = NewPager();
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image);
        for (ulong page = 0; page < 256; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        Assert.Equal(64UL * Page, image.File.GetStatus().OrThrow("fstat").Blocks * 512);
        ImageStatistics statistics = image.GetStatistics();
        Assert.Equal(64, statistics.CachedPages);
        Assert.Equal(192, statistics.ZeroPages);
        client.Counts(192, static s => s.PagesZeroed);
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_Neighbours_AreInstalledWithTheFault()
    {
        await Task.Yield();
        TestStore store = new(256 * Page);
        Pager pager = NewPager(new PagerOptions { HandlerThreads = 1, NeighbourPages = 16, SequentialWindowBytes = 64 << 10 });
        PagedImage image = pager.OpenImage(store);
        image.ReadAhead(0, store.Length);
        TestClient client = NewClient(pager, image);
        for (ulong page = 0; page < 256; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        client.Counts(16, static s => s.Latency.Count);
        client.Counts(16, static s => s.Faults);
        client.Counts(256, static s => s.PagesContinued);
        Assert.Equal(256, client.Paged.GetPageMaps().Single().Installed);
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_InSequence_GrowsWhatIsInstalled()
    {
        await Task.Yield();
        TestStore store = new(256 * Page);
        Pager pager = NewPager(new PagerOptions { HandlerThreads = 1, NeighbourPages = 16 });
        PagedImage image = pager.OpenImage(store);
        image.ReadAhead(0, store.Length);
        TestClient client = NewClient(pager, image);
        for (ulong page = 0; page < 256; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        // 16, 32, 64, 128 pages, and the 16 that are left.
        client.Counts(5, static s => s.Faults);
        client.Counts(256, static s => s.PagesContinued);
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_InSequenceIntoOwnMemory_GrowsTheCopies()
    {
        await Task.Yield();
        TestStore store = new(1024 * Page);
        Pager pager = NewPager(new PagerOptions { HandlerThreads = 1 });
        TestClient client = NewClient(pager, pager.OpenImage(store), RegionKind.Copied);
        for (ulong page = 0; page < 1024; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        // 16, 32, 64, 128 pages, six times 128, and the 16 that are left.
        client.Counts(11, static s => s.Faults);
        client.Counts(1024, static s => s.PagesCopied);
        Assert.Equal(1, store.MostReads());
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_NoNeighboursInSequence_InstallsOnePageAtATime()
    {
        await Task.Yield();
        TestStore store = new(64 * Page);
        Pager pager = NewPager(new PagerOptions { HandlerThreads = 1, NeighbourPages = 1 });
        TestClient client = NewClient(pager, pager.OpenImage(store), RegionKind.Copied);
        for (ulong page = 0; page < 64; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        client.Counts(64, static s => s.Faults);
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_InSequence_GrowsTheReads()
    {
        await Task.Yield();
        TestStore store = new(1024 * Page);
        Pager pager = NewPager(new PagerOptions { HandlerThreads = 1 });
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image);
        for (ulong page = 0; page < 1024; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        // 16, 32, 64, 128 pages, and then seven times 128 at the most.
        Assert.InRange(image.GetStatistics().StoreReads, 8, 12);
        Assert.Equal(1, store.MostReads());
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_ImageNotOfWholePages_EndsInZeroes()
    {
        await Task.Yield();
        TestStore store = new((3 * Page) + 1000);
        Pager pager = NewPager();
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image);
        Assert.Equal(4 * Page, image.MappedLength);
        Assert.Equal(store.Expected((3 * Page) + 992), client.WordAt((3 * Page) + 992));
        Assert.Equal(0UL, client.WordAt((3 * Page) + 1000));
        Assert.Equal(0UL, client.WordAt((4 * Page) - 8));
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_StoreThatAnswersLater_ReadsTheStore()
    {
        await Task.Yield();
        TestStore store = new(128 * Page) { AnswersLater = true };
        Pager pager = NewPager();
        TestClient client = NewClient(pager, pager.OpenImage(store));
        for (ulong page = 0; page < 128; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        Assert.Equal(1, store.MostReads());
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_HugePages_AreCopied()
    {
        await Task.Yield();
        Assert.SkipUnless(Engine.Capabilities.HugePages.IsAvailable, Engine.Capabilities.HugePages.Reason);
        TestStore store = new(2 * PageSize.Huge) { IsZeroPage = static page => page >= 512 };
        Pager pager = NewPager();
        PagedImage image = pager.OpenImage(store);
        IAddressSpace space = Engine.CreateAddressSpace().OrThrow("an address space");
        var request = MapRequest.PrivateAnonymous(2 * PageSize.Huge);
        request = request with { Options = request.Options | MapOptions.HugeTlb };
        AddressRange range = new(space.Map(in request).OrThrow("mmap"), 2 * PageSize.Huge);
        TestClient client = NewClient(pager, space, range, image, RegionKind.Copied, pageBytes: PageSize.Huge);
        Assert.Equal(store.Expected(77 * Page), client.WordAt(77 * Page));
        Assert.Equal(0UL, client.WordAt(700 * Page));
        client.Counts(1024, static s => s.PagesCopied);
        client.Counts(2, static s => s.Faults);
    }
}
