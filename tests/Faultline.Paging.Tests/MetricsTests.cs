using System;
using System.Diagnostics.Metrics;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>What the meter says is what happened.</summary>
public abstract class MetricsTests(IMemoryEngine engine) : PagerTests(engine)
{
    [Fact(Timeout = 200_000)]
    public async Task Observe_AfterFaults_IsWhatHappened()
    {
        await Task.Yield();
        TestStore store = new(64 * Page);
        Pager pager = NewPager(new PagerOptions { Name = "counted", LoadBytes = 4096, NeighbourPages = 1, SequentialWindowBytes = 4096 });
        using MeterReader meter = new(pager);
        PagedImage image = pager.OpenImage(store, "an image");
        TestClient client = NewClient(pager, image);
        for (ulong page = 0; page < 16; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        // The thread runs on before the handler has counted what it did.
        Eventually(() => meter.Now("faultline.page.installed") == 16, "the last count");
        Assert.Equal(16, meter.Now("faultline.fault.count", "faultline.fault.kind=missing"));
        Assert.Equal(0, meter.Now("faultline.fault.count", "faultline.fault.kind=minor"));
        Assert.Equal(16, meter.Now("faultline.page.installed", "faultline.install.verb=continue"));
        Assert.Equal(16, meter.Now("faultline.store.reads", "faultline.image.name=an image"));
        Assert.Equal(16 * (long)Page, meter.Now("faultline.store.io", "faultline.image.name=an image"));
        Assert.Equal(16 * (long)Page, meter.Now("faultline.image.resident"));
        Assert.Equal(0, meter.Now("faultline.store.errors"));
        Assert.Equal(1, meter.Now("faultline.client.active"));
        TestClient second = NewClient(pager, image);
        Assert.Equal(store.Expected(0), second.WordAt(0));
        Eventually(() => meter.Now("faultline.fault.count", "faultline.fault.kind=minor") == 1, "the minor fault");
        Assert.Equal(2, meter.Now("faultline.client.active"));
    }

    [Theory(Timeout = 200_000)]
    [InlineData(RegionKind.PrivateImage, "continue")]
    [InlineData(RegionKind.Copied, "copy")]
    public async Task Measure_Faults_GivesEachPartOfTheirTime(RegionKind kind, string verb)
    {
        await Task.Yield();
        TestStore store = new(64 * Page) { AnswersLater = true };
        PagerOptions options = new() { Name = "timed", LoadBytes = 4096, NeighbourPages = 1, SequentialWindowBytes = 4096, Prefetch = PrefetchOptions.Off };
        Pager pager = NewPager(options);
        using MeterReader meter = new(pager);
        TestClient client = NewClient(pager, pager.OpenImage(store, "an image"), kind);
        for (ulong page = 0; page < 16; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        // The thread runs on before the handler has written down how long it took.
        Eventually(() => meter.Times("faultline.fault.duration").Length == 16, "the last measurement");
        Assert.Equal(16, meter.Times("faultline.fault.queue_duration", "faultline.fault.kind=missing").Length);
        Assert.Equal(16, meter.Times("faultline.fault.load_duration", "faultline.fault.kind=missing").Length);
        Assert.Equal(16, meter.Times("faultline.fault.install_duration", "faultline.install.verb=" + verb).Length);
        Assert.Equal(16, meter.Times("faultline.store.read_duration", "faultline.image.name=an image").Length);
        Assert.All(meter.Times("faultline.fault.load_duration"), static seconds => Assert.InRange(seconds, 0, 20));
        Assert.All(meter.Times("faultline.fault.duration"), static seconds => Assert.InRange(seconds, 1e-9, 20));
    }

    [Fact(Timeout = 200_000)]
    public async Task Observe_WhileTheStoreStalls_ShowsWhoWaits()
    {
        TestStore store = new(64 * Page) { Stalls = static _ => true };
        Pager pager = NewPager(new PagerOptions { Name = "waiting" });
        using MeterReader meter = new(pager);
        TestClient client = NewClient(pager, pager.OpenImage(store));
        Task<(AccessFault Fault, ulong Value)> waiting = client.BeginLoadAsync(0);
        Eventually(() => meter.Now("faultline.fault.in_flight", "faultline.fault.state=loading") == 1, "the wait");
        Assert.Equal(1, meter.Now("faultline.load.in_flight"));
        store.Release();
        Assert.Equal(store.Expected(0), (await waiting).Value);
        Eventually(() => meter.Now("faultline.load.in_flight") == 0 && meter.Now("faultline.fault.in_flight") == 0, "the end");
    }

    [Fact(Timeout = 200_000)]
    public async Task Observe_BrokenStoreAndUnknownAddress_CountsErrorsAndRetriesByReason()
    {
        await Task.Yield();
        TestStore store = new(64 * Page) { Fails = static _ => true };
        Pager pager = NewPager(new PagerOptions { Name = "broken", LoadDeadline = TimeSpan.FromMilliseconds(300), TimeProvider = Clock });
        using MeterReader meter = new(pager);
        PagedImage image = pager.OpenImage(store, "an image");
        TestClient client = NewClient(pager, image);
        Assert.Equal(AccessFault.BusError, client.LoadFault(0));
        Assert.True(meter.Now("faultline.store.errors", "faultline.image.name=an image") > 0);
        Eventually(() => meter.Now("faultline.page.installed", "faultline.install.verb=poison") == 1, "the poison");
    }

    [Fact(Timeout = 200_000)]
    public async Task Observe_UnderABudget_ShowsResidentBudgetAndEvictions()
    {
        await Task.Yield();
        TestStore store = new(256 * Page);
        const ulong Budget = 32 * Page;
        Pager pager = NewPager(new PagerOptions
        {
            Name = "limited",
            BudgetBytes = Budget,
            LoadBytes = 4096,
            NeighbourPages = 1,
            SequentialWindowBytes = 4096,
        });
        using MeterReader meter = new(pager);
        TestClient client = NewClient(pager, pager.OpenImage(store, "an image"));
        for (ulong page = 0; page < 256; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
            Assert.InRange(meter.Now("faultline.image.resident"), 0, (long)Budget);
        }

        Assert.Equal((long)Budget, meter.Now("faultline.image.budget"));
        Assert.InRange(meter.Now("faultline.page.evicted", "faultline.image.name=an image"), 256 - 32, 256);
    }

    [Fact]
    public void Open_TwoOfOneName_GetNamesOfTheirOwn()
    {
        string name = "twin " + Guid.NewGuid();
        Pager first = NewPager(new PagerOptions { Name = name });
        Pager second = NewPager(new PagerOptions { Name = name });
        Assert.Equal(name, first.Name);
        Assert.Equal(name + "-2", second.Name);
        first.Dispose();
        Assert.Equal(name, NewPager(new PagerOptions { Name = name }).Name);
    }

    [Fact]
    public void Publish_EveryInstrument_HasUnitAndDescription()
    {
        using MeterReader meter = new(NewPager());
        Assert.True(meter.Instruments.Count >= 20);
        foreach (Instrument instrument in meter.Instruments)
        {
            Assert.StartsWith("faultline.", instrument.Name, StringComparison.Ordinal);
            Assert.False(string.IsNullOrEmpty(instrument.Unit), instrument.Name);
            Assert.EndsWith(".", instrument.Description, StringComparison.Ordinal);
        }
    }
}
