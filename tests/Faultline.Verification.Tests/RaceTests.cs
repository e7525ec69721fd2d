using System;
using System.Collections.Generic;
using System.Linq;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Races;
using Faultline.Verification.Races.Canaries;
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

        ScheduleFailure? small = RaceCheck.SearchCanary(RaceCanaries.All[place]).Failure;

        Assert.NotNull(small);
        Assert.Equal(canary.Kind, small.Kind);
        TestContext.Current.TestOutputHelper?.WriteLine($"{small.Preemptions} preemptions: {small}");
        Assert.Equal(small.Message, RaceCheck.Replay(canary.Name, small.Path)?.Message);
    }

    /// <summary>A search that is bound by schedules does the same on every machine, however busy it is.</summary>
    [Fact]
    public void Search_SameSeedAndSchedules_FindsTheSame()
    {
        static RaceSearch Search() => RaceCheck.SearchCanary(() => new HandlerThatProtectsTooLate());

        Assert.Equal(Search().Failure?.Path, Search().Failure?.Path);
        Assert.Equal(Search().Schedules, Search().Schedules);
    }

    [Fact]
    public void Canaries_OneAtLeast_ForEachKindOfFailure() => Assert.Equal(
        Enum.GetValues<ScheduleFailureKind>().Order(), RaceCanaries.All.Select(make => make().Kind).Distinct().Order());
}
