using System.Threading;
using Xunit;

namespace Faultline.Sync.Tests;

public sealed class RankedSharedLockTests
{
    private readonly RankedSharedLock _outer = new(Ranks.Outer);
    private readonly RankedSharedLock _inner = new(Ranks.Inner);

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
    public void EnterWrite_WhileReadersStayLong_SleepsAndIsWoken()
    {
        const int Rounds = 20;
        bool isWritten = false;
        using ManualResetEventSlim isRead = new();

        void Read()
        {
            for (int round = 0; round < Rounds; round++)
            {
                using (RankedSharedLock.ReadScope scope = _outer.EnterRead())
                {
                    isRead.Set();

                    // Longer than a writer looks before it sleeps.
                    Thread.SpinWait(200_000);
                    Assert.False(Volatile.Read(ref isWritten), "A writer was in with a reader.");
                }

                SpinWait.SpinUntil(() => Volatile.Read(ref isWritten), Crew.DeadlineMs);
                Volatile.Write(ref isWritten, false);
            }
        }

        void Write()
        {
            for (int round = 0; round < Rounds; round++)
            {
                Assert.True(isRead.Wait(Crew.DeadlineMs), "The reader did not come.");
                isRead.Reset();
                using RankedSharedLock.WriteScope scope = _outer.EnterWrite();
                Volatile.Write(ref isWritten, true);
            }
        }

        Crew.Run(Read, Write);
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
