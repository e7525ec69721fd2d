using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>Closing while others are inside a call, and calls that come too late.</summary>
public sealed class CloseTests : IDisposable
{
    private readonly LinuxEngine _engine = new();

    public CloseTests() => Require.KernelFaults();

    public void Dispose() => _engine.Dispose();

    [Fact]
    public async Task Dispose_WhileReadersBlock_AnswersEcanceledToAll()
    {
        for (int round = 0; round < 50; round++)
        {
            IUserfaultfd context = OpenBlocking();
            int count = round % 5 == 0 ? 12 : 3;
            Task<SystemResult<int>>[] readers =
                [.. Enumerable.Range(0, count).Select(_ => StartAsync(() => context.Read(new UserfaultfdMessage[4])))];
            if (round % 2 == 0)
            {
                await Task.Delay(2, TestContext.Current.CancellationToken);
            }

            await StartAsync(() => Close(context)).WaitAsync(Deadline.Normal, TestContext.Current.CancellationToken);
            SystemResult<int>[] results = await Task.WhenAll(readers).WaitAsync(Deadline.Normal, TestContext.Current.CancellationToken);
            Assert.All(results, result => Assert.Equal(Errno.ECANCELED, result.Errno));
        }
    }

    [Fact]
    public async Task Interrupt_OfBlockedReader_AnswersEintrAndLeavesContextUsable()
    {
        using IUserfaultfd context = OpenBlocking();
        int threadId = 0;
        Task<SystemResult<int>> reading = StartAsync(() =>
        {
            Volatile.Write(ref threadId, KernelThread.CurrentId);
            return context.Read(new UserfaultfdMessage[1]);
        });
        long endsAt = Environment.TickCount64 + Deadline.NormalMs;
        while (!reading.IsCompleted && Environment.TickCount64 < endsAt)
        {
            if (Volatile.Read(ref threadId) != 0)
            {
                InterruptSignal.Send(threadId);
            }

            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        Assert.Equal(Errno.EINTR, (await reading).Errno);
        Assert.Equal(new UserfaultfdCounts(0, 0), context.GetCounts().OrThrow("fdinfo"));
    }

    [Fact]
    public void Calls_AfterDispose_AnswerEbadf()
    {
        IUserfaultfd context = UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.None).OrThrow("userfaultfd");
        AddressRange range = new(new(PageSize.Small), PageSize.Small);
        context.Dispose();
        context.Dispose();
        FillResult refused = new(Errno.EBADF, FillResult.FieldUntouched);
        Assert.Equal(Errno.ECANCELED, context.Read(new UserfaultfdMessage[1]).Errno);
        Assert.Equal(Errno.EBADF, context.Handshake(UserfaultfdFeatures.None).Errno);
        Assert.Equal(Errno.EBADF, context.Register(range, RegisterModes.Missing).Errno);
        Assert.Equal(Errno.EBADF, context.Unregister(range).Errno);
        Assert.Equal(Errno.EBADF, context.Wake(range).Errno);
        Assert.Equal(refused, context.Copy(range.Start, new byte[PageSize.Small]));
        Assert.Equal(refused, context.Copy(range, range.Start));
        Assert.Equal(refused, context.Zeropage(range));
        Assert.Equal(refused, context.Continue(range));
        Assert.Equal(refused, context.Poison(range));
        Assert.Equal(refused, context.Move(range.Start, range.Start, PageSize.Small));
        Assert.Equal(Errno.EBADF, context.WriteProtect(range, WriteProtectModes.Protect).Errno);
        Assert.Equal(Errno.EBADF, context.GetCounts().Errno);
    }

    [Fact]
    public void FileCalls_AfterDispose_AnswerEbadf()
    {
        IMemoryFile file = _engine.CreateMemoryFile(new() { Name = "closed", Size = PageSize.Small }).OrThrow("memfd_create");
        file.Dispose();
        Assert.Equal(Errno.EBADF, file.GetStatus().Errno);
        Assert.Equal(Errno.EBADF, file.Truncate(1).Errno);
        Assert.Equal(Errno.EBADF, file.Allocate(0, 1).Errno);
        Assert.Equal(Errno.EBADF, file.PunchHole(0, 1).Errno);
        Assert.Equal(Errno.EBADF, file.Read(0, new byte[1]).Errno);
        Assert.Equal(Errno.EBADF, file.Write(0, new byte[1]).Errno);
        Assert.Equal(Errno.EBADF, file.FindData(0).Errno);
        Assert.Equal(Errno.EBADF, file.FindHole(0).Errno);
        Assert.Equal(Errno.EBADF, file.AddSeals(FileSeals.Grow).Errno);
        Assert.Equal(Errno.EBADF, file.GetSeals().Errno);
        Assert.Equal(Errno.EBADF, file.Reopen(FileAccessRights.Read).Errno);
        Assert.Equal(Errno.EBADF, _engine.Home.Map(MapRequest.SharedFile(file, PageSize.Small)).Errno);
    }

    // If a call could reach a number that was given away, the late handshakes below would hit the fresh context and use up its only one.
    [Fact]
    public async Task Call_InFlightWhileDisposed_NeverReachesTheNextOwnerOfTheNumber()
    {
        for (int round = 0; round < 300; round++)
        {
            IUserfaultfd old = UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.None).OrThrow("userfaultfd");
            bool isStopped = false;
            Task<int> late = StartAsync(() =>
            {
                int wrong = 0;
                while (!Volatile.Read(ref isStopped))
                {
                    wrong += old.Handshake(UserfaultfdFeatures.None).Errno is Errno.EINVAL or Errno.EBADF ? 0 : 1;
                }

                return wrong;
            });
            Thread.SpinWait(round * 20);
            old.Dispose();
            using IUserfaultfd fresh = _engine.Home.OpenUserfaultfd(UserfaultfdOptions.CloseOnExec).OrThrow("userfaultfd");
            Thread.SpinWait(2000);
            SystemResult<UserfaultfdApi> first = fresh.Handshake(UserfaultfdFeatures.None);
            Volatile.Write(ref isStopped, true);
            Assert.Equal(0, await late.WaitAsync(Deadline.Normal, TestContext.Current.CancellationToken));
            Assert.Equal(Errno.None, first.Errno);
        }
    }

    // A COPY whose source faults is a call that stays inside for as long as the test likes.
    [Fact]
    public async Task Dispose_WhileCallIsInside_KeepsTheNumberTakenUntilItIsOut()
    {
        AddressRange target = new(_engine.Home.Map(MapRequest.PrivateAnonymous(PageSize.Small)).OrThrow("mmap"), PageSize.Small);
        AddressRange source = new(_engine.Home.Map(MapRequest.PrivateAnonymous(PageSize.Small)).OrThrow("mmap"), PageSize.Small);
        var closing = (LinuxUserfaultfd)UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.None).OrThrow("userfaultfd");
        using IUserfaultfd other = UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.None).OrThrow("userfaultfd");
        Assert.True(closing.Register(target, RegisterModes.Missing).IsOk);
        Assert.True(other.Register(source, RegisterModes.Missing).IsOk);
        using IUserfaultfdPoller poller = _engine.CreatePoller();
        poller.Add(other, 1).OrThrow("epoll_ctl");
        nint number = closing.Descriptor.DangerousGetHandle();
        Task<FillResult> copying = StartAsync(() => closing.Copy(target, source.Start));
        Assert.Equal(1, poller.Wait(new long[1], Deadline.NormalMs).OrThrow("epoll_wait"));

        closing.Dispose();
        var files = new LinuxMemoryFile[64];
        for (int i = 0; i < files.Length; i++)
        {
            files[i] = (LinuxMemoryFile)_engine.CreateMemoryFile(new() { Name = "next" }).OrThrow("memfd_create");
        }

        bool isTaken = Array.Exists(files, file => file.Descriptor.DangerousGetHandle() == number);
        Array.ForEach(files, file => file.Dispose());
        Assert.True(other.Zeropage(source).IsOk);
        Assert.Equal(new(Errno.None, (long)PageSize.Small), await copying.WaitAsync(Deadline.Normal, TestContext.Current.CancellationToken));
        Assert.False(isTaken);
        Assert.Equal(Errno.EBADF, closing.Wake(target).Errno);
        _engine.Home.Unmap(target).OrThrow("munmap");
        _engine.Home.Unmap(source).OrThrow("munmap");
    }

    [Fact]
    public async Task Handshake_ByTwoThreadsAtOnce_IsWonByExactlyOne()
    {
        for (int round = 0; round < 200; round++)
        {
            using IUserfaultfd context = _engine.Home.OpenUserfaultfd(UserfaultfdOptions.CloseOnExec).OrThrow("userfaultfd");
            using Barrier barrier = new(2);
            SystemResult<UserfaultfdApi>[] results = await Task.WhenAll(
                StartAsync(() => Shake(UserfaultfdFeatures.ThreadId)),
                StartAsync(() => Shake(UserfaultfdFeatures.ExactAddress))).WaitAsync(Deadline.Normal, TestContext.Current.CancellationToken);
            Assert.Single(results, result => result.IsOk);
            Assert.Single(results, result => result.Errno == Errno.EINVAL && result.Value == default);
            Assert.Equal(results[0].IsOk ? UserfaultfdFeatures.ThreadId : UserfaultfdFeatures.ExactAddress, context.Features);

            SystemResult<UserfaultfdApi> Shake(UserfaultfdFeatures features)
            {
                barrier.SignalAndWait();
                return context.Handshake(features);
            }
        }
    }

    private static bool Close(IDisposable closing)
    {
        closing.Dispose();
        return true;
    }

    // Threads of their own: what blocks here must not use up the pool.
    private static Task<T> StartAsync<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private IUserfaultfd OpenBlocking() =>
        UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.None, options: UserfaultfdOptions.CloseOnExec).OrThrow("userfaultfd");
}
