using System;
using System.Linq;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>Many clients, several handlers: a page is loaded once however many ask, and every value is right.</summary>
public abstract class JoinTests(IMemoryEngine engine) : PagerTests(engine)
{
    [Fact(Timeout = 200_000)]
    public async Task Load_EightClientsAskForOnePage_OneRead()
    {
        TestStore store = new(16 * Page) { Stalls = static _ => true };
        Pager pager = NewPager();
        PagedImage image = pager.OpenImage(store);
        TestClient[] clients = [.. Enumerable.Range(0, 8).Select(_ => NewClient(pager, image))];
        Task<(AccessFault Fault, ulong Value)>[] loads = [.. clients.Select((client, i) => client.BeginLoadAsync((ulong)i * Page))];
        Eventually(() => pager.GetStatistics().Faults == 8 && store.StalledReads == 1, "eight faults and one read");
        store.Release();
        for (int i = 0; i < loads.Length; i++)
        {
            Assert.Equal((AccessFault.None, store.Expected((ulong)i * Page)), await loads[i]);
        }

        Assert.Equal(1, image.GetStatistics().StoreReads);
        Assert.Equal(7, pager.GetStatistics().JoinedFaults);
    }

    [Theory(Timeout = 200_000)]
    [InlineData(RegionKind.PrivateImage, false)]
    [InlineData(RegionKind.PrivateImage, true)]
    [InlineData(RegionKind.SharedImage, false)]
    [InlineData(RegionKind.Copied, false)]
    [InlineData(RegionKind.Copied, true)]
    public async Task Load_EightClientsTwoHandlers_EveryWordIsRight(RegionKind kind, bool answersLater)
    {
        TestStore store = new(1024 * Page) { AnswersLater = answersLater, IsZeroPage = static page => page % 5 == 0 };
        Pager pager = NewPager(new PagerOptions { HandlerThreads = 2 });
        PagedImage image = pager.OpenImage(store);
        TestClient[] clients = [.. Enumerable.Range(0, 8).Select(_ => NewClient(pager, image, kind))];
        Task[] walks = [.. clients.Select((client, seed) => Task.Run(() => Walk(client, store, seed), TestContext.Current.CancellationToken))];
        await Task.WhenAll(walks).WaitAsync(TimeSpan.FromSeconds(180), TestContext.Current.CancellationToken);
        Assert.Equal(kind == RegionKind.Copied ? 8 : 1, store.MostReads());
        PagerStatistics statistics = pager.GetStatistics();
        Assert.Equal(0, statistics.PagesPoisoned);
        Assert.Equal(statistics.ParkedFaults, statistics.RetriedFaults);
    }

    private static void Walk(TestClient client, TestStore store, int seed)
    {
        Random random = new(seed);
        ulong[] pages = [.. Enumerable.Range(0, 1024).Select(static page => (ulong)page)];
        random.Shuffle(pages);
        foreach (ulong page in pages)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
            Assert.Equal(store.Expected((page * Page) + 2048), client.WordAt((page * Page) + 2048));
        }
    }
}
