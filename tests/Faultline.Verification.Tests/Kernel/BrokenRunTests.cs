using System;
using System.Diagnostics;
using Faultline.Linux;
using Faultline.Verification.Kernel;
using Xunit;

namespace Faultline.Verification.Tests.Kernel;

/// <summary>What goes wrong under a program is a difference that says what it was, not the end of the run.</summary>
public sealed class BrokenRunTests : IDisposable
{
    private readonly EnginePair? _engines;
    private readonly PairRun? _run;

    public BrokenRunTests()
    {
        KernelMeans.RequireKernel();
        _engines = new EnginePair();
        _run = new PairRun(_engines);
    }

    private PairRun Run => _run!;

    public void Dispose()
    {
        _run?.Dispose();
        _engines?.Dispose();
    }

    [Theory]
    [InlineData("load page=1 pages=1")]
    [InlineData("protect page=1 pages=1 mode=Read")]
    public void Do_ProcessWasKilled_DifferenceNamesTheSignal(string step)
    {
        Assert.Null(Run.Do(StepText.Parse("map page=1 pages=1 mode=Anonymous value=3"), closely: true));
        Assert.Null(Run.Do(StepText.Parse("load page=1 pages=1"), closely: true));
        using (var process = Process.GetProcessById(((LinuxAddressSpace)Run.Linux.Spaces[0]!).Caller.ProcessId))
        {
            process.Kill();
        }

        Difference? difference = Run.Do(StepText.Parse(step), closely: true);

        Assert.NotNull(difference);
        Assert.StartsWith("life of the process", difference.What, StringComparison.Ordinal);
        Assert.EndsWith("was ended by signal 9", difference.Linux, StringComparison.Ordinal);
    }

    [Fact]
    public void Finish_ProcessWasKilledUnderASleeper_DifferenceNamesTheSignal()
    {
        foreach (string line in (string[])["open", "map page=1 pages=1 mode=Anonymous value=3", "register page=1 pages=1 mode=Missing", "load page=1 pages=1"])
        {
            Assert.Null(Run.Do(StepText.Parse(line), closely: true));
        }

        Assert.Equal(OutcomeKind.Asleep, Run.LastOutcome.Kind);
        using (var process = Process.GetProcessById(((LinuxAddressSpace)Run.Linux.Spaces[0]!).Caller.ProcessId))
        {
            process.Kill();
        }

        Difference? difference = Run.Finish();

        Assert.NotNull(difference);
        Assert.StartsWith("life of the process", difference.What, StringComparison.Ordinal);
    }

    [Fact]
    public void Do_CallWasGivenUp_DifferenceSaysItDidNotComeBack()
    {
        Assert.Null(Run.Do(StepText.Parse("map page=1 pages=1 mode=Anonymous value=3"), closely: true));
        Run.GiveUp();

        Difference? difference = Run.Do(StepText.Parse("load page=1 pages=1"), closely: true);

        Assert.NotNull(difference);
        Assert.Equal("did not come back from the call", difference.Linux);
    }

    [Fact]
    public void Do_StepThrowsOnBothEngines_IsADifference()
    {
        Difference? difference = Run.Do(StepText.Parse("load space=7 page=1 pages=1"), closely: true);

        Assert.NotNull(difference);
        Assert.Contains(nameof(IndexOutOfRangeException), difference.Linux, StringComparison.Ordinal);
    }

    [Fact]
    public void Do_AfterAStepThatThrew_ActorsGoOn()
    {
        Assert.NotNull(Run.Do(StepText.Parse("load space=7 page=1 pages=1"), closely: true));
        using var next = new PairRun(_engines!);

        Assert.Null(next.Do(StepText.Parse("map page=1 pages=1 mode=Anonymous value=3"), closely: true));
        Assert.Null(next.Do(StepText.Parse("load page=1 pages=1"), closely: true));
    }
}
