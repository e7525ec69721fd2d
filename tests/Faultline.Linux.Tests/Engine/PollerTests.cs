using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Linux.Tests;

public sealed class PollerTests : IDisposable
{
    private readonly LinuxEngine _engine = new();
    private readonly List<IUserfaultfd> _contexts = [];
    private readonly List<Thread> _readers = [];
    private readonly VirtualAddress _at;

    public PollerTests()
    {
        Require.KernelFaults();
        _at = _engine.Home.Map(MapRequest.PrivateAnonymous(256 * PageSize.Small)).OrThrow("mmap");
    }

    public void Dispose()
    {
        // Closing the contexts lets every sleeping reader go on.
        _contexts.ForEach(context => context.Dispose());
        Assert.All(_readers, reader => Assert.True(reader.Join(Deadline.Normal)));
        _engine.Home.Unmap(new(_at, 256 * PageSize.Small)).OrThrow("munmap");
        _engine.Dispose();
    }

    [Fact]
    public void Add_OfWrongContexts_AnswersAsDocumented()
    {
        using IUserfaultfdPoller poller = _engine.CreatePoller();
        using IUserfaultfd blocking = UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.None, options: UserfaultfdOptions.CloseOnExec).OrThrow("userfaultfd");
        Assert.Equal(Errno.EINVAL, poller.Add(blocking, 1).Errno);
        IUserfaultfd context = Open(0);
        Assert.Equal(Errno.None, poller.Add(context, 1).Errno);
        Assert.Equal(Errno.EEXIST, poller.Add(context, 2).Errno);
        Assert.Equal(Errno.None, poller.Remove(context).Errno);
        Assert.Equal(Errno.ENOENT, poller.Remove(context).Errno);
        Assert.Equal(Errno.None, poller.Add(context, 2).Errno);
        Assert.Equal(Errno.EINVAL, poller.Wait([], 0).Errno);
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(-1L)]
    [InlineData(-2L)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void Wait_WithAnyTag_ReportsIt(long tag)
    {
        using IUserfaultfdPoller poller = _engine.CreatePoller();
        poller.Add(Open(0), tag).OrThrow("epoll_ctl");
        Touch(0);
        long[] ready = new long[3];
        Assert.Equal(1, poller.Wait(ready, Deadline.NormalMs).OrThrow("epoll_wait"));
        Assert.Equal(tag, ready[0]);
    }

    [Fact]
    public void Wait_WithMoreReadyThanRoom_ReportsAllInTurn()
    {
        using IUserfaultfdPoller poller = _engine.CreatePoller();
        for (int i = 0; i < 100; i++)
        {
            poller.Add(Open(i), 1000 + i).OrThrow("epoll_ctl");
            Touch(i);
        }

        HashSet<long> seen = [];
        long[] ready = new long[7];
        long endsAt = Environment.TickCount64 + Deadline.NormalMs;
        while (seen.Count < 100 && Environment.TickCount64 < endsAt)
        {
            int count = poller.Wait(ready, 1000).OrThrow("epoll_wait");
            Assert.InRange(count, 0, ready.Length);
            seen.UnionWith(ready.Take(count));
        }

        Assert.Equal(Enumerable.Range(1000, 100).Select(tag => (long)tag), seen.Order());
    }

    [Fact]
    public void Wait_WithNothingReady_TakesItsTime()
    {
        using IUserfaultfdPoller poller = _engine.CreatePoller();
        poller.Add(Open(0), 1).OrThrow("epoll_ctl");
        long startedAt = Stopwatch.GetTimestamp();
        Assert.Equal(0, poller.Wait(new long[1], 50).OrThrow("epoll_wait"));
        Assert.True(Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds >= 45);
        Assert.Equal(0, poller.Wait(new long[1], 0).OrThrow("epoll_wait"));
    }

    [Fact]
    public async Task Wake_WithThreeWaiters_ReturnsOneOfThem()
    {
        using IUserfaultfdPoller poller = _engine.CreatePoller();
        Task<SystemResult<int>>[] waiters = [.. Enumerable.Range(0, 3).Select(_ => StartAsync(() => poller.Wait(new long[1], -1)))];
        poller.Wake();
        Task<SystemResult<int>> first = await Task.WhenAny(waiters).WaitAsync(Deadline.Normal, TestContext.Current.CancellationToken);
        Assert.Equal(new(0, Errno.None), await first);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.Equal(1, waiters.Count(waiter => waiter.IsCompleted));
        poller.Stop();
        SystemResult<int>[] results = await Task.WhenAll(waiters).WaitAsync(Deadline.Normal, TestContext.Current.CancellationToken);
        Assert.Equal(2, results.Count(result => result.Errno == Errno.ECANCELED));
        Assert.Equal(Errno.ECANCELED, poller.Wait(new long[1], 0).Errno);
    }

    [Fact]
    public void Wake_BeforeWait_ReturnsTheNextWaitOnly()
    {
        using IUserfaultfdPoller poller = _engine.CreatePoller();
        poller.Wake();
        Assert.Equal(0, poller.Wait(new long[1], -1).OrThrow("epoll_wait"));
        long startedAt = Stopwatch.GetTimestamp();
        Assert.Equal(0, poller.Wait(new long[1], 30).OrThrow("epoll_wait"));
        Assert.True(Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds >= 25);
    }

    [Fact]
    public async Task Dispose_WhileWaitersAreInside_EndsThemAll()
    {
        for (int round = 0; round < 100; round++)
        {
            IUserfaultfdPoller poller = _engine.CreatePoller();
            Task<SystemResult<int>>[] waiters = [.. Enumerable.Range(0, 3).Select(_ => StartAsync(() => poller.Wait(new long[1], -1)))];
            Thread.SpinWait(round * 500);
            poller.Dispose();
            SystemResult<int>[] results = await Task.WhenAll(waiters).WaitAsync(Deadline.Normal, TestContext.Current.CancellationToken);
            Assert.All(results, result => Assert.Equal(Errno.ECANCELED, result.Errno));
        }
    }

    [Fact]
    public async Task Wait_InterruptedBySignals_GoesOnForTheRestOfItsTime()
    {
        using IUserfaultfdPoller poller = _engine.CreatePoller();
        int threadId = 0;
        long startedAt = Stopwatch.GetTimestamp();
        Task<SystemResult<int>> waiting = StartAsync(() =>
        {
            Volatile.Write(ref threadId, KernelThread.CurrentId);
            return poller.Wait(new long[1], 100);
        });
        while (!waiting.IsCompleted && Stopwatch.GetElapsedTime(startedAt) < Deadline.Normal)
        {
            if (Volatile.Read(ref threadId) != 0)
            {
                InterruptSignal.Send(threadId);
            }

            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        Assert.Equal(new(0, Errno.None), await waiting);
        Assert.True(Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds >= 95);
    }

    private static Task<T> StartAsync<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private IUserfaultfd Open(int page)
    {
        IUserfaultfd context = UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.None).OrThrow("userfaultfd");
        _contexts.Add(context);
        Assert.True(context.Register(new(_at + ((ulong)page * PageSize.Small), PageSize.Small), RegisterModes.Missing).IsOk);
        return context;
    }

    private void Touch(int page)
    {
        Thread reader = new(() =>
        {
            using IMemoryAccess access = _engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("access");
            _ = access.Load(_at + ((ulong)page * PageSize.Small), out _);
        });
        reader.Start();
        _readers.Add(reader);
    }
}
