using System;
using System.Threading;
using Xunit;

namespace Faultline.Sync.Tests;

public sealed class RankedSharedLockTests : IDisposable
{
    private readonly RankedSharedLock _outer = new(Ranks.Outer);
    private readonly RankedSharedLock _inner = new(Ranks.Inner);

    public void Dispose()
    {
        _outer.Dispose();
        _inner.Dispose();
    }

    [Fact]
    public void EnterRead_TwoReaders_AreInTogether()
    {
        using Barrier inside = new(2);

        void Read()
        {
            using RankedSharedLock.ReadScope scope = _outer.EnterRead();
            Assert.True(inside.SignalAndWait(Crew.DeadlineMs), "The other reader was kept out.");
        }

        Crew.Run(Read, Read);
    }

    [Fact]
    public void EnterWrite_ReadersAndWriters_SeeWholeUpdates()
    {
        const int Rounds = 20_000;
        long left = 0;
        long right = 0;

        void Write()
        {
            for (int round = 0; round < Rounds; round++)
            {
                using RankedSharedLock.WriteScope scope = _outer.EnterWrite();
                left++;
                Thread.SpinWait(2);
                right++;
            }
        }

        void Read()
        {
            for (int round = 0; round < Rounds; round++)
            {
                using RankedSharedLock.ReadScope scope = _outer.EnterRead();
                Assert.Equal(left, right);
            }
        }

        Crew.Run(Write, Read, Write, Read);

        Assert.Equal(2 * Rounds, left);
        Assert.Equal(left, right);
    }

    [Fact]
    public void Enter_OutOfRankOrder_ThrowsInDebugBuildsOnly()
    {
        using RankedSharedLock.ReadScope inner = _inner.EnterRead();
#if DEBUG
        Assert.Throws<LockOrderException>(() => _outer.EnterRead().Dispose());
        Assert.Throws<LockOrderException>(() => _outer.EnterWrite().Dispose());
#else
        _outer.EnterRead().Dispose();
        _outer.EnterWrite().Dispose();
#endif
    }

    [Fact]
    public void Enter_InRankOrder_MixesWithExclusiveLocks()
    {
        RankedLock exclusive = new(Ranks.Inner);
        using RankedSharedLock.WriteScope outer = _outer.EnterWrite();
        using RankedLock.Scope inner = exclusive.Enter();

        Assert.True(exclusive.IsHeld);
    }

    [Fact]
    public void Dispose_ReadScopeTwice_LetsGoOnce()
    {
        RankedSharedLock.ReadScope first = _outer.EnterRead();
        first.Dispose();
        first.Dispose();
        _outer.EnterWrite().Dispose();
    }

    [Fact]
    public void Dispose_WriteScopeTwice_LetsGoOnce()
    {
        RankedSharedLock.WriteScope first = _outer.EnterWrite();
        first.Dispose();
        first.Dispose();
        _outer.EnterRead().Dispose();
    }
}
