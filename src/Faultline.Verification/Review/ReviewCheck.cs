using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using Faultline.Linux;
using Faultline.Mm;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Kernel;

namespace Faultline.Verification.Review;

/// <summary>
/// The review of 2021, mechanised: every defect it named is put into the managed engine, and the checks must see it; without a defect they must see nothing.
/// </summary>
public sealed class ReviewCheck
{
    private readonly Action<string>? _progress;
    private readonly ScriptSearch _search = new();
    private readonly List<string> _defaultFailures = [];
    private long _rightSchedules;

    /// <summary>Makes a check.</summary>
    /// <param name="progress">Is told what is done next; null for nobody.</param>
    public ReviewCheck(Action<string>? progress = null) => _progress = progress;

    /// <summary>Turns on what the check needs in this process. Before anything of the engine is touched.</summary>
    /// <exception cref="InvalidOperationException">It is too late.</exception>
    public static void Prepare()
    {
        AppContext.SetSwitch(Seam.SwitchName, isEnabled: true);
        AppContext.SetSwitch(FillSteps.SwitchName, isEnabled: true);
        if (!Seam.IsOn || !FillSteps.AreReplaceable)
        {
            throw new InvalidOperationException("Steps can be replaced, and schedules controlled, only if that was asked for before the engine was first used.");
        }
    }

    /// <summary>Runs everything.</summary>
    /// <param name="cancellation">Ends it early.</param>
    /// <exception cref="OperationCanceledException">It was ended early.</exception>
    public ReviewReport Run(CancellationToken cancellation = default)
    {
        Prepare();
        long start = Stopwatch.GetTimestamp();
        using BorrowedMachine? borrowed = BorrowSwap();
        using var linux = new LinuxEngine();
        string? missing = KernelOf(linux);
        IMemoryEngine? kernel = missing is null ? linux : null;
        _progress?.Invoke("the five cases");
        IReadOnlyList<InstallRow> table = InstallTable.Ask(kernel);
        var findings = new List<ReviewFinding>();
        foreach (ReviewDefect defect in ReviewDefect.All)
        {
            cancellation.ThrowIfCancellationRequested();
            _progress?.Invoke($"{defect.Id}: {defect.Title}");
            findings.Add(defect.IsRace ? FindRace(defect) : FindScript(defect, kernel));
        }

        return new ReviewReport
        {
            Defects = findings,
            Table = table,
            DefaultRuns = _search.DefaultRuns + _rightSchedules,
            DefaultFailures = [.. _search.DefaultFailures, .. _defaultFailures],
            KernelMissing = missing,
            Elapsed = Stopwatch.GetElapsedTime(start),
        };
    }

    /// <summary>One history swaps a page out: where there is no swap, a small file is taken for it, if this process may.</summary>
    private static BorrowedMachine? BorrowSwap()
    {
        using var linux = new LinuxEngine();
        return KernelOf(linux) is null && !linux.Capabilities.Swap.IsAvailable ? BorrowedMachine.Take(workers: 0, withSwap: true) : null;
    }

    private static string? KernelOf(LinuxEngine engine)
    {
        EngineCapabilities found = engine.Capabilities;
        return !found.KernelFaults.IsAvailable ? found.KernelFaults.Reason
            : !found.ManyAddressSpaces.IsAvailable ? found.ManyAddressSpaces.Reason
            : null;
    }

    /// <summary>Why the kernel cannot be asked about a history, or null.</summary>
    private static string? CannotAsk(IMemoryEngine kernel, ReviewScript script)
    {
        EngineCapabilities found = kernel.Capabilities;
        return script.Area.IsLimited && !found.LimitedFiles.IsAvailable ? found.LimitedFiles.Reason
            : script.Steps.Contains(ReviewStep.PageOutAlias) && !found.Swap.IsAvailable ? found.Swap.Reason
            : null;
    }

    private static List<ReviewDifference> Compare(
        IReadOnlyList<ReviewFact> observed, IReadOnlyList<ReviewFact> expected, IReadOnlyList<ReviewFact>? kernel)
    {
        var differences = new List<ReviewDifference>();
        foreach (string name in expected.Concat(observed).Select(static fact => fact.Name).Distinct(StringComparer.Ordinal))
        {
            string seen = ValueOf(observed, name);
            string right = ValueOf(expected, name);
            if (seen != right)
            {
                differences.Add(new(name, seen, right, kernel is null ? null : ValueOf(kernel, name)));
            }
        }

        return differences;
    }

    private static string ValueOf(IReadOnlyList<ReviewFact> facts, string name) =>
        facts.FirstOrDefault(fact => fact.Name == name).Value ?? "-";

    private static IReadOnlyList<ReviewCall> CallsOf(
        ReviewDefect defect,
        ReviewScript script,
        IReadOnlyList<IReadOnlyList<ReviewFact>> observed,
        IReadOnlyList<IReadOnlyList<ReviewFact>> expected,
        bool withAlias)
    {
        IReadOnlyList<IReadOnlyList<string>> locks = script.TraceLocks(ReviewEngine.Create(defect.Base, defect.Steps()));
        return
        [
            .. ReviewStage.Opening(script.Area, withAlias).Select(static text => new ReviewCall(text, [], [])),
            .. script.Steps.Select((step, i) => new ReviewCall(ReviewStage.Write(step), observed[i], expected[i]) { Locks = locks[i] }),
        ];
    }

    private ReviewFinding FindScript(ReviewDefect defect, IMemoryEngine? kernel)
    {
        long start = Stopwatch.GetTimestamp();
        (ReviewScript? script, IReadOnlyList<string> violations, long tried) = _search.Find(defect);
        if (script is null)
        {
            return Finding(defect, [], [], [], [], tried, start);
        }

        IReadOnlyList<IReadOnlyList<ReviewFact>> observed = script.Trace(ReviewEngine.Create(defect.Base, defect.Steps()), isSound: false);
        IReadOnlyList<IReadOnlyList<ReviewFact>> expected = TraceRight(script, defect.Base);
        string? note = kernel is null ? null : CannotAsk(kernel, script);
        IReadOnlyList<IReadOnlyList<ReviewFact>>? real = kernel is not null && note is null ? TraceKernel(defect, script, kernel) : null;

        List<ReviewDifference> differences = Compare(observed[^1], expected[^1], real?[^1]);
        List<string> caughtBy = [];
        if (differences.Exists(static difference => difference.Kernel == difference.Expected))
        {
            caughtBy.Add("kernel");
        }

        if (differences.Count > 0)
        {
            caughtBy.Add("engine");
        }

        if (violations.Count > 0)
        {
            caughtBy.Add("invariant");
        }

        bool withAlias = script.Steps.Any(ReviewStage.UsesAlias) || differences.Exists(static difference => difference.Fact == ReviewStage.AliasFact);
        IReadOnlyList<ReviewCall> calls = CallsOf(defect, script, observed, expected, withAlias);
        ReviewFinding finding = Finding(defect, caughtBy, calls, differences, violations, tried, start);
        return defect.Id == "D6" ? WithLoop(finding, defect, note) : finding with { KernelNote = note };
    }

    /// <summary>D6 is more than a wrong answer: whoever waits for the page waits for ever.</summary>
    private ReviewFinding WithLoop(ReviewFinding finding, ReviewDefect defect, string? note)
    {
        ReviewRace? race = Explore(ReviewPrograms.TouchAndContinue, _ => defect.Steps());
        return finding with { Race = race, KernelNote = note, CaughtBy = race is null ? finding.CaughtBy : [.. finding.CaughtBy, "interleaving"] };
    }

    private ReviewFinding FindRace(ReviewDefect defect)
    {
        long start = Stopwatch.GetTimestamp();
        ReviewRace? race = Explore(ReviewPrograms.CopyAndTruncate, static marks => new ReorderedInstall(InstallOrder.SizeBeforeLock, marks));
        if (race is null)
        {
            return Finding(defect, [], [], [], [], 0, start);
        }

        List<ReviewCall> calls =
        [
            .. ((string[])["file  = memfd_create(2 pages)", "area  = mmap(file, private, readable and writable)", "register(area, missing and minor)"])
                .Select(static text => new ReviewCall(text, [], [])),
            .. race.Marks.Where(static mark => mark.Thread != ReviewMarks.SettingUp).Select(static mark => new ReviewCall($"{mark.Thread}: {mark.What}", [], [])),
        ];
        var difference = new ReviewDifference("page 1 of the area", "present: a load reads it", "absent: a load is SIGBUS", Kernel: null);
        return Finding(defect, ["interleaving"], calls, [difference], [], race.Schedules, start) with
        {
            Race = race,
            KernelNote = "its schedule cannot be chosen.",
        };
    }

    private ReviewRace? Explore(Func<FillSteps?, ReviewMarks, ScheduledProgram> program, Func<ReviewMarks?, FillSteps> wrong)
    {
        (ReviewRace? race, string? rightFailure, long rightSchedules) = RaceSearch.Find(program, wrong);
        _rightSchedules += rightSchedules;
        if (rightFailure is not null)
        {
            _defaultFailures.Add(rightFailure);
        }

        return race;
    }

    private static IReadOnlyList<IReadOnlyList<ReviewFact>> TraceRight(ReviewScript script, InstallRuleVersion rule)
    {
        using ManagedEngine engine = ReviewEngine.Create(rule, steps: null);
        return script.Trace(engine, isSound: true);
    }

    /// <summary>What the kernel shows, which the engine without a defect must show too after every call.</summary>
    private IReadOnlyList<IReadOnlyList<ReviewFact>> TraceKernel(ReviewDefect defect, ReviewScript script, IMemoryEngine kernel)
    {
        IReadOnlyList<IReadOnlyList<ReviewFact>> now = TraceRight(script, InstallRuleVersion.Linux618);

        // MADV_PAGEOUT also leaves a page that lies in another processor's batch of new pages (mm/swap.c, cpu_fbatches): that is no answer either.
        IReadOnlyList<IReadOnlyList<ReviewFact>> real = script.Trace(kernel, isSound: true);
        List<string> failures = DifferencesOf(defect, script, now, real);
        for (int asked = 1; asked < InstallTable.Attempts && failures.Count > 0; asked++)
        {
            _ = SpinWait.SpinUntil(static () => false, asked);
            real = script.Trace(kernel, isSound: true);
            failures = DifferencesOf(defect, script, now, real);
        }

        _defaultFailures.AddRange(failures);
        return real;
    }

    private static List<string> DifferencesOf(
        ReviewDefect defect, ReviewScript script, IReadOnlyList<IReadOnlyList<ReviewFact>> now, IReadOnlyList<IReadOnlyList<ReviewFact>> real)
    {
        List<string> differences = [];
        for (int i = 0; i < real.Count; i++)
        {
            differences.AddRange(Compare(now[i], real[i], kernel: null).Select(difference =>
                $"In the history of {defect.Id}, after {ReviewStage.Write(script.Steps[i])}: {difference.Fact} is {difference.Observed}, and on the kernel {difference.Expected}."));
        }

        return differences;
    }

    private static ReviewFinding Finding(
        ReviewDefect defect,
        IReadOnlyList<string> caughtBy,
        IReadOnlyList<ReviewCall> calls,
        IReadOnlyList<ReviewDifference> differences,
        IReadOnlyList<string> violations,
        long tried,
        long start) => new()
        {
            Id = defect.Id,
            Title = defect.Title,
            Mistake = defect.Mistake,
            Rule = defect.Rule,
            CaughtBy = caughtBy,
            Calls = calls,
            Differences = differences,
            Violations = violations,
            Tried = tried,
            Elapsed = Stopwatch.GetElapsedTime(start),
        };
}
