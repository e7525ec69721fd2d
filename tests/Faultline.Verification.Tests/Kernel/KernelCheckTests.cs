using System.Collections.Generic;
using System.Threading.Tasks;
using Faultline.Verification.Kernel;
using Xunit;

namespace Faultline.Verification.Tests.Kernel;

public sealed class KernelCheckTests(KernelMeans means)
{
    private const string RemapBesideANeighbour = """
        open
        map page=13 pages=5 mode=Anonymous value=3
        register page=13 pages=5 mode=Missing|WriteProtect
        remap page=17 pages=1 other=13 mode=MayMove|Fixed|DontUnmap value=1
        """;

    // Each mapping at the new place sends an event; the neighbour's comes first.
    private const string RemapOverANeighbour = """
        open mode=EventUnmap
        map pages=4 mode=Anonymous value=3
        register pages=4 mode=Missing
        map page=5 pages=2 mode=Anonymous value=1
        register page=5 pages=2 mode=Missing|WriteProtect
        remap actor=1 page=5 pages=2 other=3 mode=MayMove|Fixed value=2
        read-messages
        """;

    [Fact]
    public async Task Run_SomePrograms_EnginesAgree()
    {
        KernelMeans.RequireKernel();

        KernelCheckReport report = await new KernelCheck(new() { Operations = 5000, Seed = 1, Workers = 1 }).RunAsync(TestContext.Current.CancellationToken);

        Assert.True(report.Operations >= 5000);
        Assert.True(report.TuplesReached > 500, $"Only {report.TuplesReached} tuples were reached.");
        Assert.All(report.Differences, static difference => Assert.Fail(difference.Script));
    }

    [Fact]
    public async Task Run_ProgramsThatPageOut_EnginesAgree()
    {
        means.RequireSwap();

        KernelCheckOptions options = new() { Operations = 20_000, Seed = 2, Workers = 1, WithSwap = true };
        KernelCheckReport report = await new KernelCheck(options).RunAsync(TestContext.Current.CancellationToken);

        Assert.All(report.Differences, static difference => Assert.Fail(difference.Script));
    }

    // In a run over everything few programs page out: which, and whether a step looks at what is in swap then, depends on which worker is faster.
    [Fact]
    public async Task Run_ProgramsAboutSwap_MeetSwappedEntries()
    {
        means.RequireSwap();

        KernelCheckOptions options = new() { Operations = 20_000, Seed = 2, Workers = 1, WithSwap = true, OnlyAbout = ProgramProfile.Swap };
        KernelCheckReport report = await new KernelCheck(options).RunAsync(TestContext.Current.CancellationToken);

        Assert.All(report.Differences, static difference => Assert.Fail(difference.Script));
        Assert.Contains(report.Reached, static tuple => tuple.Contains(nameof(EntryState.Swapped), System.StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(RemapBesideANeighbour)]
    [InlineData(RemapOverANeighbour)]
    public void Remap_BesideAWatchedNeighbour_KernelUnregistersTheNeighbour(string script)
    {
        KernelMeans.RequireKernel();
        using var engines = new EnginePair();
        IReadOnlyList<Step> steps = KernelProgram.Parse(script).Steps;
        using var run = new PairRun(engines);

        Difference? difference = null;
        foreach (Step step in steps)
        {
            difference ??= run.Do(step, closely: true);
        }

        Assert.NotNull(difference);
        Assert.Equal(ExplainedDifferences.RemapUnregistersNeighbour, ExplainedDifferences.Explain(difference, steps));
    }

    // A huge page, given up as a whole and mapped in parts; one of its pages is written to.
    private const string OneDirtyAmongClean = """
        map page=1536 pages=1024 mode=Anonymous value=3
        advise page=1536 pages=1024 mode=HugePage
        store page=2048 pages=1 value=225960
        advise page=1536 pages=1024 mode=Free
        protect page=2065 pages=4
        store page=2558 pages=1 value=311569 skew=3016
        protect page=2069 pages=512 mode=Read
        """;

    [Fact]
    public void Protect_OneDirtyPageOfAHugeOne_KernelMakesAllDirty()
    {
        KernelMeans.RequireKernel();
        using var engines = new EnginePair();
        IReadOnlyList<Step> steps = KernelProgram.Parse(OneDirtyAmongClean).Steps;
        using var run = new PairRun(engines);

        Difference? difference = null;
        foreach (Step step in steps)
        {
            difference ??= run.Do(step, closely: true);
        }

        if (difference is null)
        {
            Assert.Skip("This kernel changes the protection of each entry by itself, or makes no huge pages.");
        }

        Assert.Equal(ExplainedDifferences.ProtectDirtiesTogether, ExplainedDifferences.Explain(difference, steps));
        Difference turned = difference with { Linux = difference.Managed, Managed = difference.Linux };
        Assert.Null(ExplainedDifferences.Explain(turned, steps));
        Assert.Null(ExplainedDifferences.Explain(difference with { Linux = difference.Linux.Replace("Read ", "ReadWrite ", System.StringComparison.Ordinal) }, steps));
    }

    [Fact]
    public void Explain_MoveThatMovedAndSaysOccupied_IsTheKnownDefect()
    {
        IReadOnlyList<Step> steps = [new() { Verb = StepVerb.RaceMove, Pages = 1 }];
        Difference moved = new(0, "the answer", "EEXIST (-17) though the page was moved", "ok");

        Assert.Equal(ExplainedDifferences.MoveSaysOccupied, ExplainedDifferences.Explain(moved, steps));
        Assert.Null(ExplainedDifferences.Explain(moved with { Linux = "EEXIST (-17) and the page was not moved" }, steps));
        Assert.Null(ExplainedDifferences.Explain(moved with { Managed = moved.Linux }, steps));
    }

    [Fact]
    public void Run_AManagedEngineThatIsWrong_IsNoticed()
    {
        KernelMeans.RequireKernel();
        using var engines = new EnginePair(Mm.InstallRuleVersion.Review2021);
        IReadOnlyList<Step> steps = KernelProgram.Parse(ProtectedReadOnly).Steps;

        Assert.NotNull(ProgramReplay.Run(engines, steps));
    }

    // The rule of 2021 ignores protection in mappings that are not writable.
    private const string ProtectedReadOnly = """
        open
        map page=1 pages=2 mode=Anonymous value=1
        register page=1 pages=2 mode=Missing|WriteProtect
        copy page=1 pages=1 mode=WriteProtect value=9
        """;
}
