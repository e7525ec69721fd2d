using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>How pages leave memory under a budget: in the background, in batches, by whose choice.</summary>
public abstract class EvictionTests(IMemoryEngine engine) : PagerTests(engine)
{
    private const ulong Pages = 2048;
    private const ulong Budget = 512 * Page;

    private static readonly PagerOptions Small = new() { LoadBytes = (int)(4 * Page), SequentialWindowBytes = (int)(4 * Page), BudgetBytes = Budget };

    [Fact(Timeout = 200_000)]
    public async Task Load_ManyThreadsAtRandom_BudgetIsNeverExceeded()
    {
        TestStore store = new(Pages * Page);
        Pager pager = NewPager(Small);
        PagedImage image = pager.OpenImage(store);
        TestClient[] clients = [.. Enumerable.Range(0, 3).Select(_ => NewClient(pager, image))];
        using CancellationTokenSource stop = new();
        Task<(ulong Most, int Looks)> watch = OnThreadAsync(() => WatchResident(image, stop.Token));
        Task[] walks = [.. clients.Select((client, seed) => OnThreadAsync(() => Walk(client, store, seed)))];
        await Task.WhenAll(walks).WaitAsync(Deadline, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        (ulong most, int looks) = await watch.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.True(looks > 10, $"Only {looks} looks were taken.");
        Assert.InRange(most, Budget / 2, Budget);
        Assert.True(image.GetStatistics().PagesEvicted > (long)Pages);
    }

    [Fact(Timeout = 200_000)]
    public async Task Evict_InTheBackground_LeavesHeadroom()
    {
        await Task.Yield();
        TestStore store = new(Pages * Page);
        Pager pager = NewPager(Small with { Budget = new MemoryBudget(Budget) { HeadroomBytes = 128 * Page } });
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image);
        for (ulong page = 0; page < 1000; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        Eventually(() => image.GetStatistics().ResidentBytes <= (long)(Budget - (64 * Page)), "Room in the background");
        Assert.Equal(1, store.MostReads());
    }

    [Fact(Timeout = 200_000)]
    public async Task Choose_PolicyOfTheUsers_DecidesWhatGoes()
    {
        await Task.Yield();
        TestStore store = new(Pages * Page);
        KeepFirst policy = new(kept: 8);
        Pager pager = NewPager(Small with { Budget = new MemoryBudget(Budget) { Policy = () => policy } });
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image);
        for (ulong page = 0; page < Pages; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        for (ulong page = 0; page < 32; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }

        Assert.Equal(1, store.ReadsOf(0));
        Assert.Equal(1, store.ReadsOf(31));
        Assert.True(policy.BroughtChunks >= (int)Pages / 4);
        Assert.InRange(policy.BroughtChunks - policy.EvictedChunks, 1, 128);
    }

    [Fact(Timeout = 200_000)]
    public async Task Choose_PolicyNamesNonsense_OnlyWhatMayGoGoes()
    {
        await Task.Yield();
        TestStore store = new(Pages * Page);
        Pager pager = NewPager(Small with { Budget = new MemoryBudget(Budget) { Policy = static () => new Scatter() } });
        PagedMemory memory = Own(pager.Map(store));
        using Lease held = memory.Lease(5 * Page, (int)(4 * Page));
        byte[] page = new byte[Page];
        Random random = new(3);
        for (int i = 0; i < 4000; i++)
        {
            ulong offset = (ulong)random.Next((int)Pages) * Page;
            memory.Read(offset, page);
            Assert.Equal(store.Expected(offset), BitConverter.ToUInt64(page));
        }

        Assert.Equal(1, store.ReadsOf(5));
        Assert.InRange(memory.Image.GetStatistics().ResidentBytes, 1, (long)Budget);
    }

    [Fact(Timeout = 200_000)]
    public async Task Lease_PagesBetweenOthersThatGo_AreThere()
    {
        TestStore store = new(Pages * Page);
        Pager pager = NewPager(Small);
        PagedImage image = pager.OpenImage(store);
        PagedMemory memory = Own(pager.Map(image));
        TestClient client = NewClient(pager, image);
        Task walk = OnThreadAsync(() => Walk(client, store, seed: 9));
        Random random = new(4);
        while (!walk.IsCompleted)
        {
            ulong offset = (ulong)random.Next((int)Pages - 3) * Page;
            using Lease lease = memory.Lease(offset, (int)(3 * Page));
            Assert.Equal(store.Expected(offset), BitConverter.ToUInt64(lease.Bytes));
            Assert.Equal(store.Expected(offset + (2 * Page)), BitConverter.ToUInt64(lease.Bytes[(2 * (int)Page)..]));
        }

        await walk.WaitAsync(Deadline, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Validate_HeadroomBeyondHalf_IsRefused()
    {
        PagerOptions options = new() { Budget = new MemoryBudget(Budget) { HeadroomBytes = Budget } };
        Assert.Contains("HeadroomBytes", Assert.Throws<ArgumentException>(options.Validate).Message, StringComparison.Ordinal);
    }

    private static (ulong Most, int Looks) WatchResident(PagedImage image, CancellationToken stop)
    {
        ulong most = 0;
        int looks = 0;
        while (!stop.IsCancellationRequested)
        {
            most = Math.Max(most, image.File.GetStatus().OrThrow("fstat").Blocks * 512);
            looks++;
            Thread.Yield();
        }

        return (most, looks);
    }

    /// <summary>On a thread of its own: these keep theirs for long, and the pool has few.</summary>
    private static Task<T> OnThreadAsync<T>(Func<T> work) =>
        Task.Factory.StartNew(work, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static int Walk(TestClient client, TestStore store, int seed)
    {
        Random random = new(seed);
        for (int i = 0; i < 4000; i++)
        {
            ulong offset = (ulong)random.Next((int)Pages) * Page;
            Assert.Equal(store.Expected(offset), client.WordAt(offset));
        }

        return seed;
    }

    /// <summary>First in, first out, apart from the first chunks of the image.</summary>
    private sealed class KeepFirst(int kept) : IEvictionPolicy
    {
        private readonly Queue<int> _order = [];

        public int BroughtChunks { get; private set; }

        public int EvictedChunks { get; private set; }

        public int Choose(EvictionView chunks, Span<int> victims)
        {
            int chosen = 0;
            for (int looked = _order.Count; looked > 0 && chosen < victims.Length; looked--)
            {
                int chunk = _order.Dequeue();
                _order.Enqueue(chunk);
                if (chunk >= kept && chunks.MayEvict(chunk))
                {
                    victims[chosen++] = chunk;
                }
            }

            return chosen;
        }

        public void Brought(int chunk)
        {
            BroughtChunks++;
            _order.Enqueue(chunk);
        }

        public void Evicted(int chunk)
        {
            EvictedChunks++;
            for (int looked = _order.Count; looked > 0; looked--)
            {
                int other = _order.Dequeue();
                if (other != chunk)
                {
                    _order.Enqueue(other);
                }
            }
        }
    }

    /// <summary>Names chunks that may not go, that do not exist, and each twice.</summary>
    private sealed class Scatter : IEvictionPolicy
    {
        private readonly Random _random = new(8);

        public int Choose(EvictionView chunks, Span<int> victims)
        {
            for (int i = 0; i < victims.Length; i++)
            {
                victims[i] = i % 2 == 1 ? victims[i - 1] : i % 8 == 0 ? int.MaxValue : _random.Next(-2, chunks.ChunkCount);
            }

            int next = chunks.NextResident(_random.Next(chunks.ChunkCount));
            victims[0] = next < 0 ? chunks.NextResident(0) : next;
            return victims.Length;
        }
    }
}
