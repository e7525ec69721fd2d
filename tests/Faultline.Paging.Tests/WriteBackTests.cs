using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>What is written through shared mappings reaches the store: all of it, nothing else, and before it leaves memory.</summary>
public abstract class WriteBackTests(IMemoryEngine engine) : PagerTests(engine)
{
    private const ulong Pages = 512;
    private const ulong Budget = 128 * Page;

    private static readonly PagerOptions Small = new()
    {
        LoadBytes = (int)(4 * Page),
        SequentialWindowBytes = (int)(4 * Page),
        Budget = new MemoryBudget(Budget) { HeadroomBytes = 32 * Page },
    };

    [Theory(Timeout = 200_000)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Write_ManyThreadsUnderPressure_NothingIsLostAndNothingInvented(int threads)
    {
        WritableTestStore store = new(Pages * Page);
        Pager pager = NewPager(Small);
        PagedImage image = pager.OpenImage(store);
        TestClient[] clients = [.. Enumerable.Range(0, threads).Select(_ => NewClient(pager, image, RegionKind.SharedImage))];
        ulong[] model = new ulong[Pages];
        using CancellationTokenSource stop = new();
        Task<ulong> watch = OnThreadAsync(() => WatchResident(image, stop.Token));
        await Task.WhenAll(clients.Select((client, thread) => OnThreadAsync(() => WriteGenerations(client, model, thread, threads))))
            .WaitAsync(Deadline, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        Assert.InRange(await watch.WaitAsync(Deadline, TestContext.Current.CancellationToken), 1UL, Budget);
        image.Flush();
        Assert.Equal(0, image.GetStatistics().WrittenPages);
        for (ulong page = 0; page < Pages; page++)
        {
            ulong offset = page * Page;
            Assert.Equal(model[page] == 0 ? TestStore.WordAt(offset) : model[page], store.WordAt(offset));
            Assert.Equal(TestStore.WordAt(offset + 8), store.WordAt(offset + 8));
        }

        Assert.True(image.GetStatistics().PagesEvicted > (long)Pages);
    }

    // A child has its parent's protected entries: what it writes through them must not go unnoticed.
    [Fact(Timeout = 200_000)]
    public async Task Write_ByAForkedChild_IsStored()
    {
        await Task.Yield();
        WritableTestStore store = new(Pages * Page);
        Pager pager = NewPager(Small);
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image, RegionKind.SharedImage, Events);
        Assert.Equal(TestStore.WordAt(3 * Page), client.WordAt(3 * Page));
        using IAddressSpace child = client.Space.Fork().OrThrow("fork");
        using IMemoryAccess access = child.OpenAccess().OrThrow("accessor");
        Assert.True(access.Store(client.At(3 * Page), 33).IsOk);
        Assert.True(access.Store(client.At(4 * Page), 44).IsOk);
        image.Flush();
        Assert.Equal(33UL, store.WordAt(3 * Page));
        Assert.Equal(44UL, store.WordAt(4 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Read_OnlyRead_StoresNothing()
    {
        await Task.Yield();
        WritableTestStore store = new(Pages * Page);
        Pager pager = NewPager(Small);
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image, RegionKind.SharedImage);
        for (ulong page = 0; page < Pages; page++)
        {
            Assert.Equal(TestStore.WordAt(page * Page), client.WordAt(page * Page));
        }

        image.Flush();
        Assert.Equal(0, store.Writes);
    }

    [Fact(Timeout = 200_000)]
    public async Task Flush_OneChunkWritten_StoresThatChunk()
    {
        await Task.Yield();
        WritableTestStore store = new(Pages * Page);
        Pager pager = NewPager(Small with { Budget = null });
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image, RegionKind.SharedImage);
        client.WordAt(40 * Page);
        client.SetWord(41 * Page, 7);
        Assert.Equal(4, image.GetStatistics().WrittenPages);
        image.Flush();
        Assert.Equal(7UL, store.WordAt(41 * Page));
        Assert.Equal((1L, 4L), (store.Writes, image.GetStatistics().PagesWrittenBack));
        client.SetWord(42 * Page, 8);
        client.SetWord(42 * Page, 9);
        image.Flush();
        Assert.Equal((9UL, 2L), (store.WordAt(42 * Page), store.Writes));
    }

    [Fact(Timeout = 200_000)]
    public async Task Flush_StoreFailsThere_NamesTheBytesAndKeepsThem()
    {
        await Task.Yield();
        WritableTestStore store = new(Pages * Page) { Fails = static page => page is >= 40 and < 44 };
        Pager pager = NewPager(Small);
        PagedImage image = pager.OpenImage(store, "ledger");
        TestClient client = NewClient(pager, image, RegionKind.SharedImage);
        client.SetWord(8 * Page, 5);
        client.SetWord(41 * Page, 7);
        WriteBackException failed = Assert.Throws<WriteBackException>(image.Flush);
        Assert.Equal(("ledger", 40 * Page, 4 * Page), (failed.Image, failed.Offset, failed.Length));
        Assert.IsType<System.IO.IOException>(failed.InnerException);
        Assert.Equal(5UL, store.WordAt(8 * Page));
        for (ulong page = 64; page < Pages; page++)
        {
            client.WordAt(page * Page);
        }

        Assert.Equal(7UL, client.WordAt(41 * Page));
        store.Fails = static _ => false;
        image.Flush();
        Assert.Equal(7UL, store.WordAt(41 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_NothingCanBeStored_IsAnErrorWhenTheDeadlinePasses()
    {
        await Task.Yield();
        WritableTestStore store = new(Pages * Page) { Fails = static _ => true };
        Pager pager = NewPager(Small with { LoadDeadline = Deadline, TimeProvider = Clock });
        Clock.Speed = 1;
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image, RegionKind.SharedImage);
        for (ulong page = 0; page < 128; page++)
        {
            client.SetWord(page * Page, page + 1);
        }

        Assert.Equal(AccessFault.BusError, WhileTimePasses(() => client.LoadFault(200 * Page)));
        PageLoadException refused = WhileTimePasses(() => Assert.Throws<PageLoadException>(() => image.ReadAhead(300 * Page, Page)));
        Assert.IsType<System.IO.IOException>(refused.InnerException?.InnerException);
        store.Fails = static _ => false;
        Assert.Equal(TestStore.WordAt(300 * Page), client.WordAt(300 * Page));
        for (ulong page = 0; page < 128; page++)
        {
            Assert.Equal(page + 1, client.WordAt(page * Page));
        }
    }

    [Fact(Timeout = 200_000)]
    public async Task Flush_StoreIsSlow_WritesMeanwhileAreStoredNext()
    {
        WritableTestStore store = new(Pages * Page);
        Pager pager = NewPager(Small with { Budget = null });
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image, RegionKind.SharedImage);
        client.SetWord(16 * Page, 1);
        TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        store.Gate = gate.Task;
        Task flush = OnThreadAsync(() =>
        {
            image.Flush();
            return 0;
        });
        Eventually(() => store.Writes == 1, "The write");
        Assert.Equal(1UL, client.WordAt(16 * Page));
        client.SetWord(16 * Page, 2);
        gate.SetResult();
        await flush.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.Equal(4, image.GetStatistics().WrittenPages);
        image.Flush();
        Assert.Equal(2UL, store.WordAt(16 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Lease_ForWriting_IsStoredAsItIsWhenItEnds()
    {
        await Task.Yield();
        WritableTestStore store = new(Pages * Page);
        Pager pager = NewPager(Small);
        PagedImage image = pager.OpenImage(store);
        PagedMemory memory = Own(pager.Map(image, PagedMapping.Shared));
        using (Lease lease = memory.Lease(8 * Page, (int)(2 * Page), LeaseAccess.Write))
        {
            lease.Span[0] = 1;
            image.Flush();
            lease.Span[1] = 2;
        }

        memory.Write(100 * Page, [9, 9]);
        byte[] page = new byte[Page];
        for (ulong other = 200; other < Pages; other++)
        {
            memory.Read(other * Page, page);
        }

        memory.Read(8 * Page, page);
        Assert.Equal([1, 2], page[..2]);
        image.Flush();
        Assert.Equal(0x0201UL, store.WordAt(8 * Page) & 0xffff);
        Assert.Equal(0x0909UL, store.WordAt(100 * Page) & 0xffff);
    }

    [Fact(Timeout = 200_000)]
    public async Task Dispose_WrittenAndNotStored_IsStored()
    {
        await Task.Yield();
        WritableTestStore store = new(Pages * Page);
        Pager pager = NewPager(Small);
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image, RegionKind.SharedImage);
        client.SetWord(3 * Page, 33);
        client.Paged.Detach();
        client.SetWord(2 * Page, 44);
        image.Dispose();
        Assert.Equal((33UL, 44UL), (store.WordAt(3 * Page), store.WordAt(2 * Page)));
    }

    [Fact(Timeout = 200_000)]
    public async Task Write_ZeroPages_ComeBackAsWritten()
    {
        await Task.Yield();
        WritableTestStore store = new(Pages * Page);
        store.Clear(0, (int)(256 * Page));
        Pager pager = NewPager(Small);
        PagedImage image = pager.OpenImage(store);
        TestClient clone = NewClient(pager, image);
        Assert.Equal(0UL, clone.WordAt(20 * Page));
        TestClient client = NewClient(pager, image, RegionKind.SharedImage);
        for (ulong page = 0; page < 256; page++)
        {
            Assert.Equal(0UL, client.WordAt(page * Page));
            client.SetWord(page * Page, page + 1);
        }

        for (ulong page = 0; page < 256; page++)
        {
            Assert.Equal(page + 1, client.WordAt(page * Page));
        }
    }

    [Fact(Timeout = 200_000)]
    public async Task Remove_PagesInMemory_AreZeroAlsoAfterTheyWereEvicted()
    {
        await Task.Yield();
        WritableTestStore store = new(Pages * Page);
        Pager pager = NewPager(Small);
        PagedImage image = pager.OpenImage(store);
        TestClient client = NewClient(pager, image, RegionKind.SharedImage, Events);
        client.SetWord(8 * Page, 5);
        client.WordAt(12 * Page);
        client.Space.Advise(client.Page(12, 4), Advice.Remove).OrThrow("MADV_REMOVE");
        client.Space.Advise(client.Page(8), Advice.DontNeed).OrThrow("MADV_DONTNEED");
        Assert.Equal((0UL, 5UL), (client.WordAt(12 * Page), client.WordAt(8 * Page)));
        for (ulong page = 64; page < Pages; page++)
        {
            client.WordAt(page * Page);
        }

        Assert.Equal((0UL, 0UL, 5UL), (client.WordAt(12 * Page), client.WordAt(13 * Page), client.WordAt(8 * Page)));
    }

    /// <summary>Each thread writes rising generations to pages of its own, and finds the last one it wrote there.</summary>
    private static int WriteGenerations(TestClient client, ulong[] model, int thread, int threads)
    {
        Random random = new(thread);
        for (int i = 1; i < 4000; i++)
        {
            int page = random.Next((int)Pages / threads) * threads + thread;
            if (page % 8 == 7 || page >= (int)Pages)
            {
                continue;
            }

            ulong offset = (ulong)page * Page;
            Assert.Equal(model[page] == 0 ? TestStore.WordAt(offset) : model[page], client.WordAt(offset));
            if (i % 3 != 0)
            {
                model[page] = ((ulong)thread << 32) | (uint)i;
                client.SetWord(offset, model[page]);
            }
        }

        return thread;
    }

    private static ulong WatchResident(PagedImage image, CancellationToken stop)
    {
        ulong most = 0;
        while (!stop.IsCancellationRequested)
        {
            most = Math.Max(most, image.File.GetStatus().OrThrow("fstat").Blocks * 512);
            Thread.Yield();
        }

        return most;
    }

    private static Task<T> OnThreadAsync<T>(Func<T> work) =>
        Task.Factory.StartNew(work, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
