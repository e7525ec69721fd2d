using System;
using System.Linq;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>Images larger than the memory they may take.</summary>
public abstract class BudgetTests(IMemoryEngine engine) : PagerTests(engine)
{
    private const ulong Budget = 64 * Page;

    [Fact(Timeout = 200_000)]
    public async Task Load_ImageLargerThanBudget_StaysUnderIt()
    {
        await Task.Yield();
        TestStore store = new(512 * Page);
        Pager pager = NewPager(new PagerOptions { BudgetBytes = Budget });
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image);
        for (int pass = 0; pass < 2; pass++)
        {
            for (ulong page = 0; page < 512; page++)
            {
                Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
                Assert.InRange(image.File.GetStatus().OrThrow("fstat").Blocks * 512, 0UL, Budget);
            }
        }

        Assert.True(image.GetStatistics().PagesEvicted >= 512);
        Assert.Equal(2, store.MostReads());
    }

    [Fact(Timeout = 200_000)]
    public async Task Evict_PagesWrittenInAClone_StayThere()
    {
        await Task.Yield();
        TestStore store = new(512 * Page);
        Pager pager = NewPager(new PagerOptions { BudgetBytes = Budget });
        TestClient client = NewClient(pager, pager.OpenImage(store));
        client.SetWord(3 * Page, 42);
        for (ulong page = 16; page < 512; page++)
        {
            client.WordAt(page * Page);
        }

        Assert.Equal(42UL, client.WordAt(3 * Page));
        Assert.Equal(store.Expected(4 * Page), client.WordAt(4 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Evict_LeasedPages_Never()
    {
        await Task.Yield();
        TestStore store = new(512 * Page);
        Pager pager = NewPager(new PagerOptions { BudgetBytes = Budget });
        PagedMemory memory = Own(pager.Map(store));
        using Lease held = memory.Lease(5 * Page, (int)(4 * Page));
        for (ulong page = 16; page < 512; page += 16)
        {
            using Lease passing = memory.Lease(page * Page, (int)(16 * Page));
            Assert.Equal(store.Expected(page * Page), BitConverter.ToUInt64(passing.Bytes));
        }

        Assert.Equal(store.Expected(5 * Page), BitConverter.ToUInt64(held.Bytes));
        Assert.Equal(1, store.ReadsOf(5));
        Assert.True(memory.Image.GetStatistics().PagesEvicted > 0);
        Assert.InRange(memory.Image.GetStatistics().ResidentBytes, 1, (long)Budget);
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_EverythingLeased_IsAnErrorWhenTheDeadlinePasses()
    {
        await Task.Yield();
        TestStore store = new(512 * Page);
        Pager pager = NewPager(new PagerOptions { BudgetBytes = Budget, LoadDeadline = TimeSpan.FromMilliseconds(300), TimeProvider = Clock });
        PagedImage image = pager.OpenImage(store);
        PagedMemory memory = Own(pager.Map(image));
        TestClient client = NewClient(pager, image);
        using (Lease first = memory.Lease(0, (int)(48 * Page)))
        {
            using Lease second = memory.Lease(48 * Page, (int)(16 * Page));
            Assert.Equal(AccessFault.BusError, WhileTimePasses(() => client.LoadFault(100 * Page)));
            Assert.True(client.Paged.GetStatistics().ParkedFaults > 0);
        }

        Assert.Equal(store.Expected(116 * Page), client.WordAt(116 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Map_SharedWithBudget_IsRefused()
    {
        await Task.Yield();
        Pager pager = NewPager(new PagerOptions { BudgetBytes = Budget });
        InvalidOperationException refused = Assert.Throws<InvalidOperationException>(() => pager.Map(new TestStore(512 * Page), PagedMapping.Shared));
        Assert.Contains("private", refused.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Throws<ArgumentException>(() => new PagerOptions { BudgetBytes = 4096 }.Validate());
    }

    [Fact(Timeout = 200_000)]
    public async Task Lease_LargerThanBudget_IsRefused()
    {
        await Task.Yield();
        Pager pager = NewPager(new PagerOptions { BudgetBytes = Budget });
        PagedMemory memory = Own(pager.Map(new TestStore(512 * Page)));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Lease(0, (int)Budget).Dispose());
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_TwoClonesUnderPressure_ReadTheStore()
    {
        TestStore store = new(512 * Page);
        Pager pager = NewPager(new PagerOptions { BudgetBytes = Budget });
        PagedImage image = pager.OpenImage(store);
        TestClient first = NewClient(pager, image);
        TestClient second = NewClient(pager, image);
        Task[] walks =
        [
            Task.Run(() => Walk(first, store, 1), TestContext.Current.CancellationToken),
            Task.Run(() => Walk(second, store, 2), TestContext.Current.CancellationToken),
        ];
        await Task.WhenAll(walks).WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.InRange(image.File.GetStatus().OrThrow("fstat").Blocks * 512, 0UL, Budget);
    }

    [Fact(Timeout = 200_000)]
    public async Task Lease_ManyThreadsNearTheBudget_WaitForRoom()
    {
        TestStore store = new(512 * Page);
        Pager pager = NewPager(new PagerOptions { BudgetBytes = Budget });
        PagedMemory memory = Own(pager.Map(store));
        Task[] readers = [.. Enumerable.Range(0, 4).Select(seed => Task.Run(() => LeaseAround(memory, store, seed), TestContext.Current.CancellationToken))];
        await Task.WhenAll(readers).WaitAsync(Deadline, TestContext.Current.CancellationToken);
        byte[] all = new byte[store.Length];
        memory.Read(0, all);
        Assert.Equal(store.Expected(300 * Page), BitConverter.ToUInt64(all.AsSpan(300 * (int)Page)));
        Assert.InRange(memory.Image.GetStatistics().ResidentBytes, 1, (long)Budget);
    }

    [Fact(Timeout = 200_000)]
    public async Task Evict_FileSealed_FailsLoadsAndNothingElse()
    {
        await Task.Yield();
        TestStore store = new(512 * Page);
        Pager pager = NewPager(new PagerOptions { BudgetBytes = Budget, LoadDeadline = TimeSpan.FromMilliseconds(200), TimeProvider = Clock });
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image);
        for (ulong page = 0; page < 64; page++)
        {
            client.WordAt(page * Page);
        }

        image.File.AddSeals(FileSeals.Write).OrThrow("seal");
        Assert.Equal(AccessFault.BusError, WhileTimePasses(() => client.LoadFault(100 * Page)));
        Assert.Equal(store.Expected(20 * Page), client.WordAt(20 * Page));
        Assert.Equal(64, image.GetStatistics().CachedPages);
    }

    private static void LeaseAround(PagedMemory memory, TestStore store, int seed)
    {
        Random random = new(seed);
        for (int i = 0; i < 200; i++)
        {
            ulong offset = (ulong)random.Next(480) * Page;
            using Lease lease = memory.Lease(offset, (int)(24 * Page));
            Assert.Equal(store.Expected(offset), BitConverter.ToUInt64(lease.Bytes));
            Assert.Equal(store.Expected(offset + (23 * Page)), BitConverter.ToUInt64(lease.Bytes[(23 * (int)Page)..]));
        }
    }

    private static void Walk(TestClient client, TestStore store, int seed)
    {
        Random random = new(seed);
        for (int i = 0; i < 3000; i++)
        {
            ulong offset = (ulong)random.Next(512) * Page;
            Assert.Equal(store.Expected(offset), client.WordAt(offset));
        }
    }
}
