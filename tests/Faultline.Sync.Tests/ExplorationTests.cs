using System;
using System.Collections.Generic;
using System.Threading;
using Faultline.Sync.Scheduling;
using Xunit;

namespace Faultline.Sync.Tests;

public sealed class ExplorationTests
{
    [Fact]
    public void Exhaust_TwoThreadsOfThreeSegments_RunsEachInterleavingOnce()
    {
        HashSet<string> orders = new(StringComparer.Ordinal);
        ExplorationResult result = Exploration.Exhaust(() =>
        {
            List<char> order = [];
            void Body(char name)
            {
                order.Add(name);
                Seam.Point();
                order.Add(name);
                Seam.Point();
                order.Add(name);
            }

            return new ScheduledProgram([() => Body('a'), () => Body('b')], () => Assert.True(orders.Add(string.Concat(order))));
        });

        // Six segments, three of them the first thread's: 6! / (3! 3!).
        Assert.Equal(new ExplorationResult(20, IsComplete: true, Failure: null), result);
        Assert.Equal(20, orders.Count);
    }

    [Fact]
    public void Exhaust_NoPreemptionAllowed_RunsOnlyWholeThreads()
    {
        ExplorationResult result = Exploration.Exhaust(
            () => new ScheduledProgram([Seam.Point, Seam.Point, Seam.Point]),
            new ExplorationBounds(MaxPreemptions: 0));

        Assert.Equal(new ExplorationResult(6, IsComplete: true, Failure: null), result);
    }

    [Fact]
    public void Exhaust_UnlockedCounter_FindsTheLostUpdateAndReplaysIt()
    {
        ScheduleFailure? failure = Exploration.Exhaust(() => Counter(isLocked: false)).Failure;

        Assert.NotNull(failure);
        Assert.Equal(ScheduleFailureKind.Invariant, failure.Kind);
        ScheduleFailure? again = Exploration.Replay(() => Counter(isLocked: false), failure.Path);
        Assert.Equal(failure.ToString(), again?.ToString());
    }

    [Fact]
    public void Exhaust_LockedCounter_PassesEverySchedule()
    {
        ExplorationResult result = Exploration.Exhaust(() => Counter(isLocked: true)).ThrowIfFailed();

        Assert.True(result.IsComplete);
        Assert.InRange(result.Schedules, 2, 10_000);
    }

    [Fact]
    public void Exhaust_FailingProgram_ThrowsWithTheReplayLine()
    {
        ExplorationResult result = Exploration.Exhaust(() => Counter(isLocked: false));

        ScheduleFailedException exception = Assert.Throws<ScheduleFailedException>(() => result.ThrowIfFailed());
        Assert.Contains($"Replay: \"{result.Failure?.Path}\"", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Exhaust_LocksTakenInOppositeOrder_AreFound()
    {
        ScheduleFailure? failure = Exploration.Exhaust(() =>
        {
            RankedLock outer = new(Ranks.Outer);
            RankedLock inner = new(Ranks.Inner);
            return new ScheduledProgram([() => TakeBoth(outer, inner), () => TakeBoth(inner, outer)]);
        }).Failure;

        Assert.NotNull(failure);
        Assert.Equal(ScheduleFailureKind.LockOrder, failure.Kind);
        Assert.IsType<LockOrderException>(failure.Exception);
    }

    [Fact]
    public void Exhaust_SleepUnderALockTheWakerNeeds_IsADeadlock()
    {
        using Parker parker = new();
        ScheduleFailure? failure = Exploration.Exhaust(() =>
        {
            parker.Park(timeoutMs: 0);
            RankedSharedLock latch = new(Ranks.Outer);
            return new ScheduledProgram(
            [
                () =>
                {
                    using RankedSharedLock.WriteScope scope = latch.EnterWrite();
                    parker.Park();
                },
                () =>
                {
                    using RankedSharedLock.ReadScope scope = latch.EnterRead();
                    parker.Unpark();
                },
            ]);
        }).Failure;

        Assert.Equal(ScheduleFailureKind.Deadlock, failure?.Kind);
        Assert.Contains($"thread 1 wants {Ranks.Outer} (Shared), held by thread 0", failure?.Message, StringComparison.Ordinal);
        Assert.Contains("thread 0 sleeps", failure?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Exhaust_ForgetfulParker_FindsTheLostWake()
    {
        using Parker inside = new();
        ScheduleFailure? failure = Exploration.Exhaust(() =>
        {
            inside.Park(timeoutMs: 0);
            ForgetfulParker parker = new(inside);
            return new ScheduledProgram([parker.Park, parker.Unpark]);
        }).Failure;

        Assert.Equal(ScheduleFailureKind.LostWake, failure?.Kind);
    }

    [Fact]
    public void Exhaust_Parker_LosesNoWakeInAnySchedule()
    {
        using Parker parker = new();
        ExplorationResult result = Exploration.Exhaust(() =>
        {
            parker.Park(timeoutMs: 0);
            bool[] isDone = new bool[2];
            void Wake(int waker)
            {
                isDone[waker] = true;
                parker.Unpark();
            }

            return new ScheduledProgram(
            [
                () =>
                {
                    while (!isDone[0] || !isDone[1])
                    {
                        Seam.Point();
                        parker.Park();
                    }
                },
                () => Wake(0),
                () => Wake(1),
            ]);
        }).ThrowIfFailed();

        Assert.True(result.IsComplete);
        Assert.True(result.Schedules > 20);
    }

    [Fact]
    public void Exhaust_SharedLock_LetsReadersTogetherAndWritersAlone()
    {
        int mostReaders = 0;
        ScheduledProgram Program()
        {
            RankedSharedLock latch = new(Ranks.Outer);
            int readers = 0;
            int writers = 0;
            void Read()
            {
                using RankedSharedLock.ReadScope scope = latch.EnterRead();
                readers++;
                mostReaders = Math.Max(mostReaders, readers);
                Seam.Point();
                Assert.Equal(0, writers);
                readers--;
            }

            void Write()
            {
                using RankedSharedLock.WriteScope scope = latch.EnterWrite();
                writers++;
                Seam.Point();
                Assert.Equal((0, 1), (readers, writers));
                writers--;
            }

            return new ScheduledProgram([Read, Read, Write]);
        }

        ExplorationResult result = Exploration.Exhaust(Program, new ExplorationBounds(MaxPreemptions: 3)).ThrowIfFailed();

        Assert.True(result.IsComplete);
        Assert.Equal(2, mostReaders);
    }

    [Fact]
    public void Exhaust_TryEnter_FailsExactlyWhereTheLockIsHeld()
    {
        int failed = 0;
        int taken = 0;
        ExplorationResult result = Exploration.Exhaust(() =>
        {
            RankedLock latch = new(Ranks.Outer);
            return new ScheduledProgram(
            [
                () =>
                {
                    using RankedLock.Scope scope = latch.Enter();
                    Seam.Point();
                },
                () =>
                {
                    using RankedLock.Scope scope = latch.TryEnter();
                    _ = scope.IsHeld ? taken++ : failed++;
                },
            ]);
        }).ThrowIfFailed();

        Assert.True(result.IsComplete);
        Assert.True(failed > 0);
        Assert.True(taken > 0);
    }

    [Fact]
    public void Exhaust_TimedSleepThatNobodyEnds_RunsOutOnTheSchedulesClock()
    {
        using Parker parker = new();
        ExplorationResult result = Exploration.Exhaust(
            () => new ScheduledProgram([() => Assert.False(parker.Park(timeoutMs: 3_600_000))]));

        Assert.Equal(new ExplorationResult(1, IsComplete: true, Failure: null), result);
    }

    [Fact]
    public void Exhaust_LoopWithoutSleep_HitsTheStepBound()
    {
        ScheduleFailure? failure = Exploration.Exhaust(
            () =>
            {
                bool isSet = false;
                return new ScheduledProgram(
                [
                    () =>
                    {
                        while (!Volatile.Read(ref isSet))
                        {
                            Seam.Point();
                        }
                    },
                    () => Volatile.Write(ref isSet, true),
                ]);
            },
            new ExplorationBounds(MaxSteps: 100)).Failure;

        Assert.Equal(ScheduleFailureKind.StepBound, failure?.Kind);
    }

    [Fact]
    public void Exhaust_MoreSchedulesThanAllowed_IsNotComplete()
    {
        ExplorationResult result = Exploration.Exhaust(() => Counter(isLocked: true), new ExplorationBounds(MaxSchedules: 2));

        Assert.Equal(new ExplorationResult(2, IsComplete: false, Failure: null), result);
    }

    [Fact]
    public void Exhaust_ProgramThatChangesBetweenRuns_IsRefused()
    {
        int runs = 0;
        ScheduledProgram Program()
        {
            int points = runs++ == 0 ? 3 : 0;
            return new ScheduledProgram([() => Repeat(points, Seam.Point), Seam.Point]);
        }

        Assert.Throws<InvalidOperationException>(() => Exploration.Exhaust(Program));
    }

    [Fact]
    public void Exhaust_ThreadWaitsOutsideTheLibrary_IsReported()
    {
        using ManualResetEventSlim outside = new();
        using ManualResetEventSlim left = new();
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        void Body()
        {
            outside.Wait(Crew.DeadlineMs, cancellation);
            left.Set();
        }

        Assert.Throws<TimeoutException>(() => Exploration.Exhaust(() => new ScheduledProgram([Body]), new ExplorationBounds(StallMs: 50)));
        outside.Set();
        Assert.True(left.Wait(Crew.DeadlineMs, cancellation));
    }

    [Fact]
    public void Sample_UnlockedCounter_IsFoundAndTheSeedRepeatsIt()
    {
        ExplorationResult first = Exploration.Sample(() => Counter(isLocked: false), seed: 1, count: 100);
        ExplorationResult second = Exploration.Sample(() => Counter(isLocked: false), seed: 1, count: 100);

        Assert.NotNull(first.Failure);
        Assert.Equal(first.Failure.Path, second.Failure?.Path);
        Assert.Equal(first.Schedules, second.Schedules);
    }

    [Fact]
    public void Replay_PathOfAnotherProgram_IsRefused() =>
        Assert.Throws<InvalidOperationException>(() => Exploration.Replay(() => Counter(isLocked: false), "7"));

    private static ScheduledProgram Counter(bool isLocked)
    {
        RankedLock latch = new(Ranks.Outer);
        int count = 0;
        void Add()
        {
            using RankedLock.Scope scope = isLocked ? latch.Enter() : default;
            int seen = count;
            Seam.Point();
            count = seen + 1;
        }

        return new ScheduledProgram([Add, Add], () => Assert.Equal(2, count));
    }

    private static void TakeBoth(RankedLock first, RankedLock second)
    {
        using RankedLock.Scope one = first.Enter();
        using RankedLock.Scope two = second.Enter();
    }

    private static void Repeat(int count, Action action)
    {
        for (int turn = 0; turn < count; turn++)
        {
            action();
        }
    }
}
