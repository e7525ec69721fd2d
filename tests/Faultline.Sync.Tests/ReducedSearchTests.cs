using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Faultline.Sync.Scheduling;
using Xunit;

namespace Faultline.Sync.Tests;

/// <summary>The reduced search against the whole one, on random programs: it must find every outcome, with fewer schedules.</summary>
public sealed class ReducedSearchTests
{
    private const int Words = 2;
    private const int Locks = 2;

    private enum Op
    {
        Read,
        Write,
        Add,
        LockedIncrement,
        TryLock,
        Park,
        Unpark,
    }

    public static IEnumerable<TheoryDataRow<int>> Seeds => Enumerable.Range(1, 40).Select(seed => new TheoryDataRow<int>(seed));

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Reduce_RandomProgram_FindsEveryOutcome(int seed)
    {
        Op[][] code = Generate(seed);
        HashSet<string> whole = new(StringComparer.Ordinal);
        HashSet<string> reduced = new(StringComparer.Ordinal);

        ExplorationResult all = Exploration.Exhaust(() => Make(code, whole)).ThrowIfFailed();
        ExplorationResult few = Exploration.Reduce(() => Make(code, reduced)).ThrowIfFailed();

        Assert.True(all.IsComplete);
        Assert.True(few.IsComplete);
        Assert.Equal(whole.Order(StringComparer.Ordinal), reduced.Order(StringComparer.Ordinal));
        Assert.True(few.Schedules <= all.Schedules, $"{few.Schedules} of {all.Schedules} schedules");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Reduce_TwoPreemptions_FindsEveryOutcomeOfTwoPreemptions(int seed)
    {
        Op[][] code = Generate(seed);
        HashSet<string> whole = new(StringComparer.Ordinal);
        HashSet<string> reduced = new(StringComparer.Ordinal);
        ExplorationBounds bounds = new(MaxPreemptions: 2);

        ExplorationResult all = Exploration.Exhaust(() => Make(code, whole), bounds).ThrowIfFailed();
        ExplorationResult few = Exploration.Reduce(() => Make(code, reduced), bounds).ThrowIfFailed();

        Assert.True(few.IsComplete);
        Assert.Equal(whole.Order(StringComparer.Ordinal), reduced.Order(StringComparer.Ordinal));
        Assert.True(few.Schedules <= all.Schedules, $"{few.Schedules} of {all.Schedules} schedules");
    }

    [Fact]
    public void Reduce_ThreadsThatShareNothing_NeedsOneSchedule()
    {
        ExplorationResult result = Exploration.Reduce(() =>
        {
            RankedLock[] locks = [new(Ranks.Outer), new(Ranks.Outer), new(Ranks.Outer)];
            return new ScheduledProgram([.. locks.Select(latch => (Action)(() => EnterOften(latch)))]);
        }).ThrowIfFailed();

        Assert.True(result.IsComplete);
        Assert.Equal((1, 0), (result.Schedules, result.Redundant));
    }

    [Fact]
    public void Reduce_ThreadsStartedByThreads_AreExploredToo()
    {
        HashSet<int> orders = [];
        ExplorationResult result = Exploration.Reduce(() =>
        {
            RankedLock latch = new(Ranks.Outer);
            List<int> order = [];
            void Note(int who)
            {
                using RankedLock.Scope held = latch.Enter();
                order.Add(who);
            }

            return new ScheduledProgram(
            [
                () =>
                {
                    SeamThread one = Seam.Start("one", () => Note(1));
                    SeamThread two = Seam.Start("two", () => Note(2));
                    one.Join();
                    two.Join();
                    Assert.Equal(2, order.Count);
                    orders.Add((order[0] * 10) + order[1]);
                },
            ]);
        }).ThrowIfFailed();

        Assert.True(result.IsComplete);
        Assert.Equal([12, 21], orders.Order());
    }

    [Fact]
    public void Shrink_FailureFoundAtRandom_HasTheFewestPreemptionsAndReplays()
    {
        ScheduleFailure? found = Exploration.SamplePriorities(LostUpdate, seed: 5, count: 1_000, changes: 6).Failure;
        Assert.NotNull(found);

        ScheduleFailure small = Exploration.Shrink(LostUpdate, found);

        Assert.Equal(1, small.Preemptions);
        Assert.Equal(small.ToString(), Exploration.Replay(LostUpdate, small.Path)?.ToString());
    }

    [Fact]
    public void Reduce_LoopThatYields_WaitsForTheOtherThread()
    {
        object word = new();
        ExplorationResult result = Exploration.Reduce(() =>
        {
            bool isSet = false;
            return new ScheduledProgram(
            [
                () =>
                {
                    Seam.Touch(word, TouchKind.Read);
                    while (!isSet)
                    {
                        Seam.Yield();
                        Seam.Touch(word, TouchKind.Read);
                    }
                },
                () =>
                {
                    Seam.Touch(word, TouchKind.Write);
                    isSet = true;
                },
            ]);
        }).ThrowIfFailed();

        Assert.True(result.IsComplete);
        Assert.InRange(result.Schedules, 2, 10);
    }

    [Fact]
    public void Exhaust_QuietCheckThatFails_IsAnInvariantFailure()
    {
        ScheduleFailure? failure = Exploration.Exhaust(() =>
        {
            int ended = 0;
            return new ScheduledProgram([() => ended++, () => ended++]) { QuietCheck = () => Assert.NotEqual(1, ended) };
        }).Failure;

        Assert.Equal(ScheduleFailureKind.Invariant, failure?.Kind);
    }

    [Fact]
    public void Exhaust_LongPath_IsPrintedInRunsAndReplays()
    {
        static ScheduledProgram Program() => new(
        [
            () =>
            {
                for (int i = 0; i < 40; i++)
                {
                    Seam.Point();
                }

                throw new InvalidOperationException("at the end");
            },
            Seam.Point,
        ]);

        ScheduleFailure? failure = Exploration.Exhaust(Program).Failure;

        Assert.Contains("0x", failure?.Path, StringComparison.Ordinal);
        Assert.Equal(failure?.ToString(), Exploration.Replay(Program, failure!.Path)?.ToString());
    }

    private static ScheduledProgram LostUpdate()
    {
        object word = new();
        int count = 0;
        void Add()
        {
            for (int i = 0; i < 2; i++)
            {
                Seam.Touch(word, TouchKind.Read);
                int seen = count;
                Seam.Touch(word, TouchKind.Write);
                count = seen + 1;
            }
        }

        return new ScheduledProgram([Add, Add, Add], () => Assert.Equal(6, count));
    }

    private static void EnterOften(RankedLock latch)
    {
        for (int i = 0; i < 5; i++)
        {
            using RankedLock.Scope held = latch.Enter();
        }
    }

    /// <summary>Three threads of up to three steps; who sleeps is woken by the last thread's last steps.</summary>
    private static Op[][] Generate(int seed)
    {
        Random random = new(seed);
        var code = new Op[3][];
        int sleeps = 0;
        for (int thread = 0; thread < code.Length; thread++)
        {
            code[thread] = new Op[random.Next(1, 3)];
            for (int step = 0; step < code[thread].Length; step++)
            {
                var op = (Op)random.Next(thread == 0 && sleeps == 0 ? (int)Op.Park + 1 : (int)Op.Park);
                sleeps += op == Op.Park ? 1 : 0;
                code[thread][step] = op;
            }
        }

        if (sleeps > 0)
        {
            code[2][^1] = Op.Unpark;
        }

        return code;
    }

    private static ScheduledProgram Make(Op[][] code, HashSet<string> outcomes)
    {
        object[] owners = [.. Enumerable.Range(0, Words).Select(_ => new object())];
        int[] words = new int[Words];
        int[] guarded = new int[Locks];
        RankedLock[] locks = [.. Enumerable.Range(0, Locks).Select(_ => new RankedLock(Ranks.Outer))];
        Parker parker = new();
        StringBuilder[] logs = [.. code.Select(_ => new StringBuilder())];
        void Run(int thread)
        {
            for (int step = 0; step < code[thread].Length; step++)
            {
                int which = (thread + step) % 2;
                logs[thread].Append(CultureInfo.InvariantCulture, $"{Do(code[thread][step], which, (thread * 10) + step)} ");
            }
        }

        int Do(Op op, int which, int value)
        {
            switch (op)
            {
                case Op.Read:
                    Seam.Touch(owners[which], TouchKind.Read);
                    return words[which];
                case Op.Write:
                    Seam.Touch(owners[which], TouchKind.Write);
                    (int old, words[which]) = (words[which], value);
                    return old;
                case Op.Add:
                    Seam.Touch(owners[which], TouchKind.Add);
                    words[which] += 100;
                    return 0;
                case Op.LockedIncrement:
                    using (RankedLock.Scope held = locks[which].Enter())
                    {
                        return ++guarded[which];
                    }

                case Op.TryLock:
                    using (RankedLock.Scope held = locks[which].TryEnter())
                    {
                        return held.IsHeld ? ++guarded[which] : -1;
                    }

                case Op.Park:
                    parker.Park();
                    return 0;
                default:
                    parker.Unpark();
                    return 0;
            }
        }

        return new ScheduledProgram(
            [.. Enumerable.Range(0, code.Length).Select(thread => (Action)(() => Run(thread)))],
            () => outcomes.Add($"{string.Join('|', (object[])logs)}#{string.Join(',', words)}#{string.Join(',', guarded)}"))
        {
            Cleanup = parker.Dispose,
        };
    }
}
