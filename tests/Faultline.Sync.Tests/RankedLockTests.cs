using System.Threading;
using Xunit;

namespace Faultline.Sync.Tests;

public sealed class RankedLockTests
{
    private readonly RankedLock _outer = new(Ranks.Outer);
    private readonly RankedLock _inner = new(Ranks.Inner);

    [Fact]
    public void Enter_FourThreads_OneAtATime()
    {
        const int Rounds = 50_000;
        int count = 0;

        void Add()
        {
            for (int round = 0; round < Rounds; round++)
            {
                using RankedLock.Scope scope = _outer.Enter();
                count++;
            }
        }

        Crew.Run(Add, Add, Add, Add);

        Assert.Equal(4 * Rounds, count);
    }

    [Fact]
    public void Enter_InRankOrder_HoldsBoth()
    {
        using RankedLock.Scope outer = _outer.Enter();
        using RankedLock.Scope inner = _inner.Enter();

        Assert.True(_outer.IsHeld && _inner.IsHeld);
        Assert.True(outer.IsHeld && inner.IsHeld);
    }

    [Fact]
    public void Enter_OutOfRankOrder_ThrowsInDebugBuildsOnly()
    {
        using RankedLock.Scope inner = _inner.Enter();
#if DEBUG
        LockOrderException exception = Assert.Throws<LockOrderException>(() => _outer.Enter().Dispose());
        Assert.Equal(Ranks.Outer, exception.Wanted);
        Assert.Equal(Ranks.Inner, exception.Held);
        Assert.False(_outer.IsHeld);
#else
        using RankedLock.Scope outer = _outer.Enter();
        Assert.True(_outer.IsHeld);
#endif
    }

    [Fact]
    public void Enter_SameRankTwice_ThrowsInDebugBuildsOnly()
    {
        RankedLock second = new(Ranks.Outer);
        using RankedLock.Scope outer = _outer.Enter();
#if DEBUG
        Assert.Throws<LockOrderException>(() => second.Enter().Dispose());
#else
        second.Enter().Dispose();
#endif
        Assert.False(second.IsHeld);
    }

    [Fact]
    public void Enter_AfterAnOrderError_WorksInOrder()
    {
#if DEBUG
        using (_inner.Enter())
        {
            Assert.Throws<LockOrderException>(() => _outer.Enter().Dispose());
        }
#endif
        using RankedLock.Scope outer = _outer.Enter();
        using RankedLock.Scope inner = _inner.Enter();
        Assert.True(_inner.IsHeld);
    }

    [Fact]
    public void EnterSecond_SameRank_HoldsBoth()
    {
        RankedLock second = new(Ranks.Outer);
        using RankedLock.Scope one = _outer.Enter();
        using RankedLock.Scope two = second.EnterSecond();

        Assert.True(_outer.IsHeld && second.IsHeld);
    }

    [Fact]
    public void EnterSecond_OutOfRankOrder_ThrowsInDebugBuildsOnly()
    {
        using RankedLock.Scope inner = _inner.Enter();
#if DEBUG
        Assert.Throws<LockOrderException>(() => _outer.EnterSecond().Dispose());
#else
        _outer.EnterSecond().Dispose();
#endif
        Assert.False(_outer.IsHeld);
    }

    [Fact]
    public void TryEnter_OutOfRankOrder_IsAllowed()
    {
        using RankedLock.Scope inner = _inner.Enter();
        using RankedLock.Scope outer = _outer.TryEnter();

        Assert.True(outer.IsHeld);
        Assert.True(_outer.IsHeld);
    }

    [Fact]
    public void TryEnter_HeldByAnotherThread_SaysSo()
    {
        using Barrier taken = new(2);

        Crew.Run(
            () =>
            {
                using RankedLock.Scope scope = _outer.Enter();
                taken.SignalAndWait(Crew.DeadlineMs);
                taken.SignalAndWait(Crew.DeadlineMs);
            },
            () =>
            {
                taken.SignalAndWait(Crew.DeadlineMs);
                RankedLock.Scope scope = _outer.TryEnter();
                Assert.False(scope.IsHeld);
                Assert.False(_outer.IsHeld);
                scope.Dispose();
                taken.SignalAndWait(Crew.DeadlineMs);
            });
    }

    [Fact]
    public void Dispose_Twice_LetsGoOnce()
    {
        RankedLock.Scope first = _outer.Enter();
        first.Dispose();
        using RankedLock.Scope second = _outer.Enter();
        first.Dispose();

        Assert.False(first.IsHeld);
        Assert.True(_outer.IsHeld);
    }
}
