using System;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>The end of pagers, images and clients: nobody stays asleep, nothing reads as zero that is not.</summary>
public abstract class DisposeTests(IMemoryEngine engine) : PagerTests(engine)
{
    [Theory(Timeout = 200_000)]
    [InlineData(RegionKind.PrivateImage)]
    [InlineData(RegionKind.SharedImage)]
    [InlineData(RegionKind.Copied)]
    public async Task Dispose_Pager_LeavesContentsOrErrors(RegionKind kind)
    {
        await Task.Yield();
        TestStore store = new(64 * Page) { IsZeroPage = static page => page == 5 };
        Pager pager = NewPager();
        TestClient client = NewClient(pager, pager.OpenImage(store), kind);
        client.WordAt(3 * Page);
        await pager.DisposeAsync();
        Assert.Equal(ClientEnd.Detached, await client.Paged.Completion.WaitAsync(Deadline, TestContext.Current.CancellationToken));
        for (ulong page = 0; page < 64; page++)
        {
            if (page < 16)
            {
                Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
            }
            else
            {
                Assert.Equal(AccessFault.BusError, client.LoadFault(page * Page));
            }
        }

        Assert.True(store.IsDisposed);
    }

    [Fact(Timeout = 200_000)]
    public async Task Dispose_WithWaiters_EndsTheirWait()
    {
        TestStore store = new(64 * Page) { Stalls = static _ => true };
        Pager pager = NewPager(new PagerOptions { LoadDeadline = TimeSpan.FromMinutes(5) });
        PagedImage image = pager.OpenImage(store);
        TestClient[] clients = [.. Enumerable.Range(0, 3).Select(_ => NewClient(pager, image))];
        PagedMemory memory = pager.Map(image);
        Task<(AccessFault Fault, ulong Value)>[] waits = [.. clients.Select((client, i) => client.BeginLoadAsync((ulong)i * 20 * Page))];
        Task<PageLoadException> lease = Task.Run(
            () => Assert.Throws<PageLoadException>(() => memory.Lease(50 * Page, 100).Dispose()), TestContext.Current.CancellationToken);
        Eventually(() => pager.GetStatistics().Faults == 3 && image.GetStatistics().LoadingPages == 49, "the waits");
        Pause(50);
        long begun = Stopwatch.GetTimestamp();
        await pager.DisposeAsync();
        Assert.True(Stopwatch.GetElapsedTime(begun) < Deadline);
        foreach (Task<(AccessFault Fault, ulong Value)> wait in waits)
        {
            Assert.Equal(AccessFault.BusError, (await wait).Fault);
        }

        await lease.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        store.Release();
    }

    [Fact(Timeout = 200_000)]
    public async Task Dispose_WhileManyLeasesFail_EveryOneIsTold()
    {
        for (int round = 0; round < 150; round++)
        {
            TestStore store = new(64 * Page) { Stalls = static _ => true };
            Pager pager = NewPager(new PagerOptions { LoadDeadline = TimeSpan.FromMinutes(5) });
            PagedImage image = pager.OpenImage(store);
            PagedMemory memory = pager.Map(image);
            Task[] leases =
            [
                .. Enumerable.Range(0, 8).Select(i => Task.Factory.StartNew(
                    () => Assert.Throws<PageLoadException>(() => memory.Lease((ulong)i * 8 * Page, 100).Dispose()),
                    TestContext.Current.CancellationToken,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default)),
            ];
            Eventually(() => image.GetStatistics().LoadingPages == 8, "the waits");
            await pager.DisposeAsync();
            await Task.WhenAll(leases).WaitAsync(Deadline, TestContext.Current.CancellationToken);
            store.Release();
        }
    }

    [Theory(Timeout = 200_000)]
    [InlineData(RegionKind.PrivateImage)]
    [InlineData(RegionKind.Copied)]
    public async Task Detach_Complete_LeavesTheWholeImage(RegionKind kind)
    {
        await Task.Yield();
        TestStore store = new(300 * Page) { IsZeroPage = static page => page % 7 == 0 };
        Pager pager = NewPager();
        TestClient client = NewClient(pager, pager.OpenImage(store), kind);
        client.WordAt(100 * Page);
        client.Paged.Detach(DetachPolicy.Complete);
        await pager.DisposeAsync();
        for (ulong page = 0; page < 300; page++)
        {
            Assert.Equal(store.Expected(page * Page), client.WordAt(page * Page));
        }
    }

    [Fact(Timeout = 200_000)]
    public async Task Detach_DroppedPages_ReadAsZero()
    {
        await Task.Yield();
        TestStore store = new(16 * Page);
        Pager pager = NewPager();
        TestClient client = NewClient(pager, pager.OpenImage(store), features: Events);
        client.WordAt(0);
        client.Space.Advise(client.Page(2), Advice.DontNeed).OrThrow("madvise");
        client.Paged.Detach();
        Assert.Equal(0UL, client.WordAt(2 * Page));
        Assert.Equal(store.Expected(3 * Page), client.WordAt(3 * Page));
    }

    [Fact(Timeout = 200_000)]
    public async Task Dispose_Image_EndsItsClientsOnly()
    {
        await Task.Yield();
        TestStore store = new(64 * Page);
        Pager pager = NewPager();
        PagedImage first = pager.OpenImage(store, "first");
        PagedImage second = pager.OpenImage(new TestStore(64 * Page), "second");
        TestClient ofFirst = NewClient(pager, first);
        TestClient ofSecond = NewClient(pager, second);
        PagedMemory memory = pager.Map(first);
        first.Dispose();
        Assert.True(ofFirst.Paged.Completion.IsCompleted);
        Assert.Equal(AccessFault.BusError, ofFirst.LoadFault(0));
        Assert.Throws<ObjectDisposedException>(() => memory.Lease(0, 1).Dispose());
        Assert.Equal(store.Expected(40 * Page), ofSecond.WordAt(40 * Page));
        Assert.True(store.IsDisposed);
    }

    [Fact(Timeout = 200_000)]
    public async Task Dispose_UnderLoad_NobodyHangsAndNothingIsWrong()
    {
        for (int round = 0; round < 12; round++)
        {
            TestStore store = new(512 * Page) { AnswersLater = round % 2 == 0 };
            Pager pager = NewPager();
            PagedImage image = pager.OpenImage(store);
            TestClient[] clients = [.. Enumerable.Range(0, 3).Select(i => NewClient(pager, image, features: i == 0 ? Events : Plain))];
            PagedMemory memory = pager.Map(image);
            Task[] walks =
            [
                .. clients.Select((client, seed) => Task.Run(() => WalkUntilError(client, store, seed), TestContext.Current.CancellationToken)),
                Task.Run(() => LeaseUntilError(memory, store), TestContext.Current.CancellationToken),
            ];
            Pause(2 + (round * 3));
            Task[] disposals =
            [
                Task.Run(pager.Dispose, TestContext.Current.CancellationToken),
                Task.Run(memory.Dispose, TestContext.Current.CancellationToken),
                Task.Run(clients[1].Paged.Dispose, TestContext.Current.CancellationToken),
                Task.Run(image.Dispose, TestContext.Current.CancellationToken),
            ];
            await Task.WhenAll(disposals).WaitAsync(Deadline, TestContext.Current.CancellationToken);
            await Task.WhenAll(walks).WaitAsync(Deadline, TestContext.Current.CancellationToken);
            foreach (TestClient client in clients)
            {
                client.Space.Dispose();
            }
        }
    }

    private static void WalkUntilError(TestClient client, TestStore store, int seed)
    {
        Random random = new(seed);
        for (int i = 0; i < 2000; i++)
        {
            ulong offset = (ulong)random.Next(512) * Page;
            AccessResult result = client.Access.Load(client.At(offset), out ulong value);
            Assert.True(result.Fault == AccessFault.BusError || (result.IsOk
                && value == store.Expected(offset)), $"{result.Fault}: 0x{value:x} at 0x{offset:x}");
        }
    }

    private static void LeaseUntilError(PagedMemory memory, TestStore store)
    {
        try
        {
            for (ulong round = 0; ; round = (round + 11) % 500)
            {
                using Lease lease = memory.Lease(round * Page, (int)(4 * Page));
                Assert.Equal(store.Expected(round * Page), BitConverter.ToUInt64(lease.Bytes));
                Thread.Yield();
            }
        }
        catch (ObjectDisposedException)
        {
            // The end this waits for.
        }
        catch (PageLoadException)
        {
            // Or this one: the page was on its way when the pager closed.
        }
    }
}
