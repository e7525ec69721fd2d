using System;
using System.Diagnostics;
using System.Threading;
using Xunit;

namespace Faultline.Sync.Tests;

public sealed class ParkerTests
{
    [Fact]
    public void Park_AfterUnpark_TakesTheKeptWake()
    {
        using Parker parker = new();
        parker.Unpark();

        Assert.True(parker.Park(Crew.DeadlineMs));
    }

    [Fact]
    public void Park_AfterSeveralUnparks_TakesOneWake()
    {
        using Parker parker = new();
        parker.Unpark();
        parker.Unpark();
        parker.Unpark();

        Assert.True(parker.Park(timeoutMs: 0));
        Assert.False(parker.Park(timeoutMs: 0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(30)]
    public void Park_NobodyWakes_RunsOutOfTime(int timeoutMs)
    {
        using Parker parker = new();
        long start = Stopwatch.GetTimestamp();

        Assert.False(parker.Park(timeoutMs));
        Assert.True(Stopwatch.GetElapsedTime(start).TotalMilliseconds >= timeoutMs - 1);
    }

    [Fact]
    public void Park_AfterATimeout_WorksAgain()
    {
        using Parker parker = new();
        Assert.False(parker.Park(timeoutMs: 1));
        parker.Unpark();

        Assert.True(parker.Park(timeoutMs: 1));
    }

    [Fact]
    public void Park_TimeoutBelowMinusOne_Throws()
    {
        using Parker parker = new();

        Assert.Throws<ArgumentOutOfRangeException>(() => parker.Park(timeoutMs: -2));
    }

    [Fact]
    public void Park_AnotherThreadSleepsHere_Throws()
    {
        using Parker parker = new();
        Exception? thrown = null;

        // Whichever comes second throws and wakes the first.
        void Sleep()
        {
            try
            {
                parker.Park(Crew.DeadlineMs);
            }
            catch (InvalidOperationException exception)
            {
                thrown = exception;
                parker.Unpark();
            }
        }

        Crew.Run(Sleep, Sleep);

        Assert.NotNull(thrown);
    }

    [Fact]
    public void Park_WithTheFullSleep_IsWoken()
    {
        using Parker parker = new();
        using ManualResetEventSlim never = new();

        Crew.Run(
            () => Assert.True(parker.Park(Crew.DeadlineMs)),
            () =>
            {
                never.Wait(30);
                parker.Unpark();
            });
    }

    [Fact]
    public void ParkAndUnpark_BackAndForth_LoseNoWake()
    {
        const int Rounds = 100_000;
        using Parker ping = new();
        using Parker pong = new();

        Crew.Run(
            () =>
            {
                for (int round = 0; round < Rounds; round++)
                {
                    ping.Unpark();
                    Assert.True(pong.Park(Crew.DeadlineMs));
                }
            },
            () =>
            {
                for (int round = 0; round < Rounds; round++)
                {
                    Assert.True(ping.Park(Crew.DeadlineMs));
                    pong.Unpark();
                }
            });
    }

    /// <summary>The race of a wake with the end of the sleep: the wake must be taken by this sleep or by the next one.</summary>
    [Fact]
    public void Unpark_WhileTheSleepTimesOut_IsNotLost()
    {
        const int Rounds = 2_000;
        using Parker sleeper = new();
        using Parker answer = new();
        bool isOver = false;
        int goal = 0;
        int seen = 0;

        Crew.Run(
            () =>
            {
                for (int round = 1; round <= Rounds; round++)
                {
                    Volatile.Write(ref goal, round);
                    sleeper.Unpark();
                    Assert.True(answer.Park(Crew.DeadlineMs));
                    Assert.Equal(round, Volatile.Read(ref seen));

                    // Differing pauses, so that the next wake meets every phase of the one-millisecond sleep.
                    Thread.SpinWait(round % 100 * 200);
                }

                Volatile.Write(ref isOver, true);
                sleeper.Unpark();
            },
            () =>
            {
                while (!Volatile.Read(ref isOver))
                {
                    if (sleeper.Park(timeoutMs: 1))
                    {
                        seen = Volatile.Read(ref goal);
                        answer.Unpark();
                    }
                }
            });
    }

    /// <summary>What was written before a wake is seen after the sleep, also by a wake that found another one kept.</summary>
    [Fact]
    public void Unpark_ManyWakers_TheLastWriteIsSeen()
    {
        const int Rounds = 50_000;
        using Parker parker = new();
        int[] written = new int[2];

        void Wake(int waker)
        {
            for (int round = 1; round <= Rounds; round++)
            {
                Volatile.Write(ref written[waker], round);
                parker.Unpark();
            }
        }

        Crew.Run(
            () => Wake(0),
            () => Wake(1),
            () =>
            {
                while (Volatile.Read(ref written[0]) < Rounds || Volatile.Read(ref written[1]) < Rounds)
                {
                    Assert.True(parker.Park(Crew.DeadlineMs), "Both wakers have not ended, and no wake came.");
                }
            });
    }

    [Fact]
    public void Dispose_RightAfterTheSleep_DoesNotHurtTheWaker()
    {
        for (int round = 0; round < 300; round++)
        {
            Parker parker = new();
            Crew.Run(
                () =>
                {
                    // Until woken, with sleeps that end by themselves: the one case in which the sleeper may be gone before the waker is done.
                    while (!parker.Park(timeoutMs: 1))
                    {
                    }

                    parker.Dispose();
                },
                () =>
                {
                    Thread.SpinWait(round * 500);
                    parker.Unpark();
                });
        }
    }
}
