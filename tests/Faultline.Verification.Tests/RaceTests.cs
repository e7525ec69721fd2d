using System;
using System.Collections.Generic;
using System.Linq;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Races;
using Xunit;

namespace Faultline.Verification.Tests;

public sealed class RaceTests
{
    /// <summary>Enough for most searches to be complete on an idle machine; what is cut short says so and is no failure.</summary>
    private const double MillisecondsEach = 700;

    public static IEnumerable<TheoryDataRow<string>> Scenarios => RaceCheck.Names.Select(name => new TheoryDataRow<string>(name));

    public static IEnumerable<TheoryDataRow<int>> Canaries => Enumerable.Range(0, RaceCanaries.All.Count).Select(place => new TheoryDataRow<int>(place));

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void Race_EveryInterleaving_EndsWell(string name)
    {
        RaceScenario scenario = RaceScenarios.All.First(scenario => scenario.Name == name);

        RaceResult result = RaceCheck.Run(scenario, MillisecondsEach, seed: 1);

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{result.Schedules} schedules, complete: {result.IsComplete}, {result.CompletePreemptions}, {result.Milliseconds:0} ms");
        Assert.True(result.Failures.Count == 0, string.Join('\n', result.Failures));
        Assert.True(result.Schedules > 0);
    }

    [Theory]
    [MemberData(nameof(Canaries))]
    public void Canary_BrokenOnPurpose_IsCaughtAndReplays(int place)
    {
        RaceCanary canary = RaceCanaries.All[place]();
        ScheduledProgram Program() => RaceCheck.Program(RaceCanaries.All[place]());
        ExplorationBounds bounds = new(MaxSteps: 3_000);

        ExplorationResult found = Exploration.Reduce(Program, bounds);

        Assert.NotNull(found.Failure);
        Assert.Equal(canary.Kind, found.Failure.Kind);
        ScheduleFailure small = Exploration.Shrink(Program, found.Failure, bounds);
        TestContext.Current.TestOutputHelper?.WriteLine($"{found.Schedules} schedules, {small.Preemptions} preemptions: {small}");
        Assert.Equal(small.Kind, Exploration.Replay(Program, small.Path, bounds)?.Kind);
    }

    [Fact]
    public void Canaries_OneAtLeast_ForEachKindOfFailure() => Assert.Equal(
        Enum.GetValues<ScheduleFailureKind>().Order(), RaceCanaries.All.Select(make => make().Kind).Distinct().Order());
}
