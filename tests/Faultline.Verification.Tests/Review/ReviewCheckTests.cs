using System;
using System.Collections.Generic;
using System.Linq;
using Faultline.Mm;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Review;
using Xunit;

namespace Faultline.Verification.Tests.Review;

/// <summary>Every defect of the review is seen, nothing is seen without one, and the table is the kernel's.</summary>
public sealed class ReviewCheckTests
{
    /// <summary>All tests look at one run.</summary>
    private static readonly Lazy<ReviewReport> Run = new(static () => new ReviewCheck().Run(TestContext.Current.CancellationToken));

    public static TheoryData<string> Ids => [.. ReviewDefect.All.Select(static defect => defect.Id)];

    [Fact]
    public void All_AreTheThirteenOfTheReview_InOrder() =>
        Assert.Equal(Enumerable.Range(1, 13).Select(static number => $"D{number}"), ReviewDefect.All.Select(static defect => defect.Id), StringComparer.Ordinal);

    /// <summary>The calls after those that set the scene, and the checks that need no kernel.</summary>
    [Theory]
    [InlineData("D1", 2, "engine")]
    [InlineData("D2", 1, "engine")]
    [InlineData("D3", 1, "engine invariant")]
    [InlineData("D4", 1, "engine invariant")]
    [InlineData("D5", 2, "engine")]
    [InlineData("D6", 2, "engine interleaving")]
    [InlineData("D7", 1, "engine")]
    [InlineData("D8", 3, "engine invariant")]
    [InlineData("D9", 1, "engine")]
    [InlineData("D10", 1, "invariant")]
    [InlineData("D11", 2, "engine invariant")]
    [InlineData("D13", 2, "engine")]
    public void Run_EachDefect_IsCaughtByTheShortestHistory(string id, int calls, string checks)
    {
        ReviewFinding finding = Find(id);
        Assert.True(finding.IsCaught);
        Assert.Equal(calls, finding.Calls.Count(static call => call.Observed.Count > 0));
        Assert.Equal(checks.Split(' '), finding.CaughtBy.Where(static check => check != "kernel"), StringComparer.Ordinal);
        Assert.NotEqual(TimeSpan.Zero, finding.Elapsed);
        Assert.True(finding.Differences.Count + finding.Violations.Count > 0);
    }

    [Fact]
    public void Run_SizeComparedTooEarly_NeedsOnePreemption()
    {
        ReviewFinding finding = Find("D12");
        Assert.Equal("interleaving", Assert.Single(finding.CaughtBy));
        Assert.Equal(1, finding.Race!.Preemptions);
        Assert.True(finding.Race.RightIsComplete);
        Assert.Contains("past the end of the file", finding.Race.Failure, StringComparison.Ordinal);
        string[] handler = [.. finding.Race.Marks.Where(static mark => mark.Thread == ReviewMarks.Handler).Select(static mark => mark.What)];
        Assert.Contains("writes the entry", handler, StringComparer.Ordinal);
    }

    [Fact]
    public void Run_LookUpsThatDisagree_TheClientSleepsForEver()
    {
        ReviewRace race = Find("D6").Race!;
        Assert.Contains("nobody is left to wake it", race.Failure, StringComparison.Ordinal);
        Assert.Contains(race.Marks, static mark => mark.What.Contains("EFAULT", StringComparison.Ordinal));
        Assert.True(race.RightIsComplete);
    }

    /// <summary>Where the kernel has the same rule, it must have its say against the defect.</summary>
    [Theory]
    [InlineData("D1")]
    [InlineData("D2")]
    [InlineData("D3")]
    [InlineData("D4")]
    [InlineData("D5")]
    [InlineData("D6")]
    [InlineData("D7")]
    [InlineData("D9")]
    [InlineData("D11")]
    public void Run_EachDefectTheKernelCanShow_IsCaughtByTheKernel(string id)
    {
        NeedKernel();
        Assert.Contains("kernel", Find(id).CaughtBy, StringComparer.Ordinal);
    }

    [Fact]
    public void Run_EntryMarkedDirtyByTodaysRule_IsNotHeldAgainstTheKernel()
    {
        NeedKernel();
        ReviewDifference dirty = Assert.Single(Find("D13").Differences);
        Assert.Equal(dirty.Observed, dirty.Kernel);
    }

    [Fact]
    public void Run_WithoutDefect_NothingToReport()
    {
        Assert.Empty(Run.Value.DefaultFailures);
        Assert.True(Run.Value.DefaultRuns > 1000, $"Only {Run.Value.DefaultRuns} runs.");
        Assert.True(Run.Value.IsPassed);
        Assert.True(Run.Value.Elapsed < TimeSpan.FromSeconds(60), $"It took {Run.Value.Elapsed}.");
    }

    [Fact]
    public void Table_HasEveryCaseInEveryMapping()
    {
        Assert.Equal(20, Run.Value.Table.Count);
        Assert.All(Run.Value.Table, static row => Assert.Equal("0", row.Cells.Single(static cell => cell.Name == "answer").Linux618));
        Assert.Equal(20, Run.Value.Table.Select(static row => (row.Case, row.IsWritable, row.WriteProtect)).Distinct().Count());
    }

    [Fact]
    public void Table_EachCellOfTodaysRule_IsTheKernels()
    {
        NeedKernel();
        Assert.All(Run.Value.Table.SelectMany(static row => row.Cells), static cell => Assert.Equal(cell.Linux618, cell.Kernel));
    }

    /// <summary>5.16 made every entry dirty and dropped the page's own mark; 5.18 write-protects whatever the mapping allows.</summary>
    [Fact]
    public void Table_RulesDiffer_ExactlyWhereLinuxChangedThem()
    {
        foreach (InstallRow row in Run.Value.Table)
        {
            bool mayWrite = row.IsWritable && row.Case != 3;
            List<string> expected = [];
            if (row.Case == 3 && row.IsWritable && row.WriteProtect)
            {
                expected.Add("written at once");
            }

            if (row.Case is 3 or 4 && !mayWrite)
            {
                expected.Add("dirty");
            }

            if (row.WriteProtect && !mayWrite)
            {
                expected.Add("protected");
            }

            if (row.Case == 5)
            {
                expected.Add("page dirty");
            }

            Assert.Equal(expected, row.Cells.Where(static cell => cell.Review2021 != cell.Linux618).Select(static cell => cell.Name), StringComparer.Ordinal);
        }
    }

    /// <summary>The search would report anything; so it must find nothing to report about steps that are replaced by the right ones.</summary>
    [Theory]
    [InlineData(InstallRuleVersion.Linux618)]
    [InlineData(InstallRuleVersion.Review2021)]
    public void Search_StepsReplacedByTheRightOnes_FindsNothing(InstallRuleVersion rule)
    {
        var same = new ReviewDefect("D0", "none", "Nothing.", "Nothing.", rule, static () => new WrongDecision(static (_, _, right) => right));
        (ReviewScript? script, _, long tried) = new ScriptSearch().Find(same);
        Assert.Null(script);
        Assert.True(tried > 3000, $"Only {tried} tried.");
    }

    [Fact]
    public void Replay_OfTheRace_ShowsItAgain()
    {
        string path = Find("D12").Race!.Path;
        ScheduleFailure? failure = Exploration.Replay(
            static () => ReviewPrograms.CopyAndTruncate(new ReorderedInstall(InstallOrder.SizeBeforeLock, new ReviewMarks()), new ReviewMarks()), path);
        Assert.IsType<ReviewDefectSeenException>(failure?.Exception);
    }

    private static ReviewFinding Find(string id) => Assert.Single(Run.Value.Defects, finding => finding.Id == id);

    private static void NeedKernel() => Assert.SkipWhen(Run.Value.KernelMissing is not null, Run.Value.KernelMissing ?? string.Empty);
}
