using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>Guesses bring what is wanted next, and are in nobody's way.</summary>
public abstract class PrefetchTests(IMemoryEngine engine) : PagerTests(engine)
{
    private const int Pages = 4096;
    private const int Chunk = 16;

    /// <summary>One slot of these is kept free for wanted pages.</summary>
    private const int Slots = 4;

    private const int FarPage = 4000;

    private static readonly PagerOptions Options = new()
    {
        SequentialWindowBytes = Chunk * (int)Page,
        Prefetch = new PrefetchOptions { LeastLatency = TimeSpan.Zero },
    };

    public static TheoryData<string, int> Orders => new() { { "forward", 1 }, { "backward", -1 }, { "stride", 40 }, { "stride back", -56 }, { "two streams", 1 } };

    [Theory(Timeout = 200_000)]
    [MemberData(nameof(Orders))]
    public async Task Load_InOrder_IsGuessed(string name, int step)
    {
        await Task.Yield();
        GatedStore store = new(Pages * Page, Slots);

        // What was guessed beyond the end is not used; how much that is depends on who is faster, up to this.
        PagerOptions options = Options with { Prefetch = Options.Prefetch with { AheadBytes = 16 * Chunk * (int)Page } };
        (PagedImage image, TestClient client) = Open(store, options);
        List<int> touched = [];
        int count = Math.Abs(step) == 1 ? 1024 : 64;
        for (int i = 0; i < count; i++)
        {
            touched.Add((step > 0 ? 0 : Pages - 1) + (i * step));
            if (name == "two streams" && i < 512)
            {
                touched.Add((Pages / 2) + (3 * i));
            }
        }

        ReadAll(client, touched);
        ImageStatistics statistics = image.GetStatistics();
        int chunks = touched.Select(static page => page / Chunk).Distinct().Count();
        Assert.True(statistics.PagesGuessedUsed * 10 >= statistics.PagesGuessed * 7, $"{statistics.PagesGuessedUsed} of {statistics.PagesGuessed} were used.");
        Assert.True(statistics.PagesGuessedUsed >= chunks * Chunk / 4, $"{statistics.PagesGuessedUsed} pages were guessed and used, of {chunks * Chunk}.");
        Assert.Equal(store.Begun.Count, store.Begun.Distinct().Count());
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_NearEachOther_GuessesTheNeighbours()
    {
        await Task.Yield();
        GatedStore store = new(Pages * Page, Slots);
        (PagedImage image, TestClient client) = Open(store, Options);
        int[] order = [5, 2, 7, 0, 3, 6, 1, 4];
        ReadAll(client, [.. Enumerable.Range(0, 8).SelectMany(group => order.Select(chunk => (((group * 8) + chunk) * Chunk) + 3))]);
        ImageStatistics statistics = image.GetStatistics();
        Assert.True(statistics.PagesGuessedUsed >= 8 * 2 * Chunk, $"{statistics.PagesGuessedUsed} pages were guessed and used.");
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_WithoutOrder_GuessesLittle()
    {
        await Task.Yield();
        GatedStore store = new(Pages * Page, Slots);
        (PagedImage image, TestClient client) = Open(store, Options);
        var random = new Random(3);
        ReadAll(client, [.. Enumerable.Range(0, 100).Select(_ => random.Next(Pages))]);
        Assert.InRange(image.GetStatistics().PagesGuessed, 0, 30 * Chunk);
    }

    [Fact(Timeout = 200_000)]
    public async Task Lease_InOrder_IsGuessed()
    {
        await Task.Yield();
        using PagedMemory memory = NewPager(Options).Map(new GatedStore(Pages * Page, Slots));
        for (ulong page = 0; page < 1024; page += 8)
        {
            using Lease lease = memory.Lease(page * Page, 8 * (int)Page);
            Assert.Equal(TestStore.WordAt(page * Page), BitConverter.ToUInt64(lease.Bytes));
        }

        Assert.InRange(memory.Image.GetStatistics().PagesGuessedUsed, 512, 1024);
    }

    [Fact(Timeout = 200_000)]
    public async Task Guess_QueuedBehindOthers_IsOvertakenByAWantedPage()
    {
        GatedStore store = new(Pages * Page, Slots);
        (PagedImage image, TestClient client) = Open(store, Options);
        await FillSlotsAsync(client, image, store);
        int begunBefore = store.Begun.Count;
        Task<(AccessFault Fault, ulong Value)> wanted = client.BeginLoadAsync(FarPage * Page);
        Eventually(() => store.Waiting.Contains(FarPage), "the read of the wanted page");

        // Guesses wait for a turn, and none has had one since: the wanted page went first.
        Assert.Equal(begunBefore + 1, store.Begun.Count);
        Assert.Equal(FarPage, store.Begun[^1]);
        store.Answer(FarPage);
        Assert.Equal((AccessFault.None, TestStore.WordAt(FarPage * Page)), await wanted.WaitAsync(Deadline, TestContext.Current.CancellationToken));
        Assert.Equal(begunBefore + 1, store.Begun.Count);

        // A slot that a guess leaves is for the next guess.
        store.Answer(store.Waiting[0]);
        Eventually(() => store.Begun.Count == begunBefore + 2, "the next guess");
        Assert.Equal(Slots - 1, store.Waiting.Count);
        store.Open();
    }

    [Fact(Timeout = 200_000)]
    public async Task Guess_BecomesWanted_IsReadOnce()
    {
        GatedStore store = new(Pages * Page, Slots);
        (PagedImage image, TestClient client) = Open(store, Options);
        await FillSlotsAsync(client, image, store);
        long promoted = image.GetStatistics().GuessesPromoted;
        int guessed = store.Waiting[^1];
        Task<(AccessFault Fault, ulong Value)> wanted = client.BeginLoadAsync((ulong)guessed * Page);
        Eventually(() => image.GetStatistics().GuessesPromoted == promoted + 1, "the promotion");

        // It is a guess no more: the slot it leaves is taken by the next one, and one more stays free.
        Eventually(() => store.Waiting.Count == Slots, "another guess");
        store.Answer(guessed);
        Assert.Equal((AccessFault.None, TestStore.WordAt((ulong)guessed * Page)), await wanted.WaitAsync(Deadline, TestContext.Current.CancellationToken));
        Assert.Single(store.Begun, page => page == guessed);
        store.Open();
    }

    [Theory(Timeout = 200_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Guess_StoreFails_WantedPageIsReadAnew(bool isWantedBefore)
    {
        GatedStore store = new(Pages * Page, Slots);
        (PagedImage image, TestClient client) = Open(store, Options);
        await FillSlotsAsync(client, image, store);
        int guessed = store.Waiting[^1];
        Task<(AccessFault Fault, ulong Value)>? wanted = isWantedBefore ? client.BeginLoadAsync((ulong)guessed * Page) : null;
        Eventually(() => !isWantedBefore || image.GetStatistics().GuessesPromoted > 0, "the promotion");
        store.Answer(guessed, new IOException("The test's network is down."));
        Eventually(() => image.GetStatistics().FailedLoads >= 1, "the failure");
        Assert.Equal(0, isWantedBefore ? 0 : image.GetStatistics().FailedPages);
        store.Open();
        wanted ??= client.BeginLoadAsync((ulong)guessed * Page);
        Assert.Equal((AccessFault.None, TestStore.WordAt((ulong)guessed * Page)), await wanted.WaitAsync(Deadline, TestContext.Current.CancellationToken));
        Assert.Equal(0, client.Paged.GetStatistics().PagesPoisoned);
    }

    [Fact(Timeout = 200_000)]
    public async Task Guess_NeverAnswered_IsGivenUpAfterTheDeadline()
    {
        GatedStore store = new(Pages * Page, Slots);
        (PagedImage image, TestClient client) = Open(store, Options with { LoadDeadline = Deadline, TimeProvider = Clock });
        Clock.Speed = 1;
        await FillSlotsAsync(client, image, store);
        int guessed = store.Waiting[0];
        store.IsHeld = false;
        Clock.Pass(Deadline);
        Eventually(() => image.GetStatistics().FailedLoads >= Slots - 1, "the end of the guesses");
        Assert.Equal(0, image.GetStatistics().FailedPages);
        Task<(AccessFault Fault, ulong Value)> wanted = client.BeginLoadAsync((ulong)guessed * Page);
        Assert.Equal((AccessFault.None, TestStore.WordAt((ulong)guessed * Page)), await wanted.WaitAsync(Deadline, TestContext.Current.CancellationToken));
        store.Open();
    }

    [Fact(Timeout = 200_000)]
    public async Task Guess_BudgetNearItsLimit_IsGivenUp()
    {
        await Task.Yield();
        const int Budget = 256;
        GatedStore store = new(Pages * Page, Slots);
        (PagedImage image, TestClient client) = Open(store, Options with { BudgetBytes = Budget * Page });
        ReadAll(client, [.. Enumerable.Range(0, 1024)]);
        ImageStatistics statistics = image.GetStatistics();
        Assert.InRange(statistics.CachedPages, 1, Budget);
        Assert.True(statistics.GuessesGivenUp > 0);

        // A guess that was evicted before its time would be read twice.
        Assert.Equal(store.Begun.Count, store.Begun.Distinct().Count());
    }

    [Theory(Timeout = 200_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Load_ManyClientsInManyOrders_EveryWordIsRight(bool hasBudget)
    {
        TestStore store = new(Pages * Page) { AnswersLater = true, IsZeroPage = static page => page % 11 == 0 };
        var failing = new Random(5);
        store.Fails = _ =>
        {
            lock (failing)
            {
                return failing.Next(20) == 0;
            }
        };
        Pager pager = NewPager(Options with { HandlerThreads = 3, BudgetBytes = hasBudget ? 1024 * Page : null });
        PagedImage image = pager.OpenImage(store);
        TestClient[] clients = [.. Enumerable.Range(0, 6).Select(_ => NewClient(pager, image))];
        Task<int>[] walks = [.. clients.Select((client, seed) => Task.Run(() => Walk(client, store, seed), TestContext.Current.CancellationToken))];
        int[] errors = await Task.WhenAll(walks).WaitAsync(TimeSpan.FromSeconds(180), TestContext.Current.CancellationToken);

        // A page is an error only when a read of it alone failed, which one in twenty does.
        Assert.True(errors.Sum() < 6 * 600 / 4, $"{errors.Sum()} of {6 * 600} loads ended in an error.");
        Assert.True(image.GetStatistics().PagesGuessedUsed > 0);
        Eventually(() => image.GetStatistics().LoadingPages == 0, "the end of all loads");
    }

    [Fact(Timeout = 200_000)]
    public async Task Guess_PrefetchOff_NeverIsMade()
    {
        await Task.Yield();
        (PagedImage image, TestClient client) = Open(new GatedStore(Pages * Page, Slots), Options with { Prefetch = PrefetchOptions.Off });
        ReadAll(client, [.. Enumerable.Range(0, 256)]);
        Assert.Equal(0, image.GetStatistics().PagesGuessed);
    }

    [Fact(Timeout = 200_000)]
    public async Task Dispose_GuessesUnderWay_EndsAtOnce()
    {
        GatedStore store = new(Pages * Page, Slots);
        Pager pager = NewPager(Options);
        PagedImage image = pager.OpenImage(store);
        await FillSlotsAsync(NewClient(pager, image), image, store);
        await pager.DisposeAsync().AsTask().WaitAsync(Deadline, TestContext.Current.CancellationToken);
        store.Open();
    }

    /// <summary>Runs forward, backward, with strides, and jumps.</summary>
    /// <returns>How many loads ended in an error.</returns>
    private static int Walk(TestClient client, TestStore store, int seed)
    {
        var random = new Random(seed);
        int errors = 0;
        int page = random.Next(Pages);
        int step = 1;
        for (int i = 0; i < 600; i++)
        {
            if (random.Next(60) == 0)
            {
                page = random.Next(Pages);
                step = random.Next(4) switch { 0 => 1, 1 => -1, 2 => random.Next(17, 80), _ => -random.Next(17, 80) };
            }

            page = (page + step + Pages) % Pages;
            AccessResult result = client.Access.Load(client.At((ulong)page * Page), out ulong value);
            errors += result.IsOk ? 0 : 1;
            Assert.Equal(result.IsOk ? store.Expected((ulong)page * Page) : value, value);
        }

        return errors;
    }

    private static void ReadAll(TestClient client, IReadOnlyList<int> pages)
    {
        foreach (int page in pages)
        {
            Assert.Equal(TestStore.WordAt((ulong)page * Page), client.WordAt((ulong)page * Page));
        }
    }

    /// <summary>Reads in order, answering only what is wanted, until all slots but one are taken by guesses and more wait.</summary>
    private static async Task FillSlotsAsync(TestClient client, PagedImage image, GatedStore store)
    {
        bool IsFull() => store.Waiting.Count == Slots - 1 && image.Table.Core.Prefetcher.Queued >= 2;
        store.IsHeld = true;

        // How soon that is depends on which guesses get a turn before they are wanted.
        bool isFull = false;
        for (int page = 0; page < FarPage - Chunk && !isFull; page += Chunk)
        {
            Task<(AccessFault Fault, ulong Value)> load = client.BeginLoadAsync((ulong)page * Page);
            Eventually(() => store.Waiting.Contains(page), "the read of the next page");
            store.Answer(page);
            Assert.Equal((AccessFault.None, TestStore.WordAt((ulong)page * Page)), await load);
            isFull = SpinWait.SpinUntil(IsFull, TimeSpan.FromMilliseconds(20));
        }

        Assert.True(isFull, "Guesses never took all slots but one, with more that wait.");
    }

    private (PagedImage Image, TestClient Client) Open(GatedStore store, PagerOptions options)
    {
        Pager pager = NewPager(options);
        PagedImage image = pager.OpenImage(store);
        return (image, NewClient(pager, image));
    }
}
