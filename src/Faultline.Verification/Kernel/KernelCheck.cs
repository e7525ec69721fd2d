using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Linux;

namespace Faultline.Verification.Kernel;

/// <summary>
/// The differential fuzzer: random programs on the running kernel and on the managed engine, compared after every step.
/// </summary>
public sealed class KernelCheck
{
    private readonly KernelCheckOptions _options;
    private readonly Lock _gate = new();
    private readonly long _start = Stopwatch.GetTimestamp();

    // Guarded by _gate.
    private readonly Coverage _coverage = new();
    private readonly ProfileChooser _profiles;
    private readonly DifferenceList _differences = new();
    private readonly List<KernelDifference> _unstable = [];
    private readonly Dictionary<string, long> _explained = new(StringComparer.Ordinal);
    private SplitMix _seeds;
    private long _lastProgress;

    private long _operations;
    private long _programs;

    /// <summary>Prepares a run.</summary>
    /// <param name="options">How.</param>
    public KernelCheck(KernelCheckOptions options)
    {
        _options = options;
        _seeds = new SplitMix(options.Seed);
        _profiles = new ProfileChooser(Choices(options));
    }

    /// <summary>Why the running kernel cannot be compared with, and the way to change that.</summary>
    /// <returns>Null if it can.</returns>
    public static string? FindRefusal()
    {
        using var engine = new LinuxEngine();
        EngineCapabilities found = engine.Capabilities;
        return !found.KernelFaults.IsAvailable ? found.KernelFaults.Reason
            : !found.ManyAddressSpaces.IsAvailable ? found.ManyAddressSpaces.Reason
            : !BlockedThread.CanTellFunctions() ? "/proc/PID/wchan does not say where a thread sleeps: that takes a kernel with CONFIG_KALLSYMS."
            : null;
    }

    /// <summary>Runs until the number of steps, the time, or the number of differences is reached.</summary>
    /// <param name="cancellation">Ends it early; the report is of what was done.</param>
    /// <returns>What was found.</returns>
    public async Task<KernelCheckReport> RunAsync(CancellationToken cancellation)
    {
        var workers = new Task[_options.Workers];
        int[] processors = ProcessorBinding.Allowed();
        for (int i = 0; i < workers.Length; i++)
        {
            int[] own = Rotate(processors, i);
            workers[i] = Task.Factory.StartNew(() => Work(own, cancellation), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }

        await Task.WhenAll(workers).ConfigureAwait(false);
        return Report();
    }

    /// <summary>Runs one program from its seed, comparing everything after every step.</summary>
    /// <param name="programSeed">The seed, as a difference names it.</param>
    /// <param name="options">What the program was made with: swap, huge pages, forks.</param>
    /// <returns>Null, or where the engines part, cut down to the fewest steps.</returns>
    public static KernelDifference? RunProgram(ulong programSeed, KernelCheckOptions options)
    {
        using var engines = new EnginePair();
        var steps = new List<Step>();
        (Difference? difference, _) = Generate(engines, programSeed, Choices(options), PairRunMode.Careful, steps, static (_, _) => { });
        return difference is null ? null : DifferenceList.Minimise(engines, programSeed, steps, difference);
    }

    /// <summary>Runs a program from its script, comparing everything after every step.</summary>
    /// <param name="script">One step a line.</param>
    /// <returns>Null, or where the engines part; the program is left as it is.</returns>
    /// <exception cref="FormatException">The script cannot be read.</exception>
    public static KernelDifference? RunScript(string script)
    {
        var program = KernelProgram.Parse(script);
        using var engines = new EnginePair();
        Difference? difference = ProgramReplay.Run(engines, program.Steps);
        return difference is null ? null : DifferenceList.Describe(programSeed: null, program.Steps, difference, isReproducible: true);
    }

    private static GeneratorOptions Choices(KernelCheckOptions options) => new(options.WithSwap, options.WithHugePages, options.WithFork);

    private static (Difference? Difference, IReadOnlyList<string> Excused) Generate(
        EnginePair engines, ulong seed, GeneratorOptions options, PairRunMode mode, List<Step> steps, Action<ulong, StepOutcome> note)
    {
        using var run = new PairRun(engines, mode);
        var generator = new ProgramGenerator(seed, run, options);
        while (steps.Count < generator.Length && !run.IsUnordered)
        {
            Step step = generator.Next();
            steps.Add(step);
            ulong before = Coverage.Before(in step, run);
            if (run.Do(in step, closely: steps.Count % CloseLook == 0 || step.Verb == StepVerb.Remap) is { } difference)
            {
                return (difference, run.Excused);
            }

            note(before, run.LastOutcome);
        }

        return (run.Finish(), run.Excused);
    }

    // Everything is compared after every so many steps, and at the end: a difference in what is not looked at each time stays until then, and the
    // program is run again with a look after every step.
    private const int CloseLook = 6;

    // Another first one for each worker, and for each process that runs such a check.
    private static int[] Rotate(int[] processors, int worker)
    {
        int[] rotated = new int[processors.Length];
        for (int i = 0; i < rotated.Length; i++)
        {
            rotated[i] = processors[(Environment.ProcessId + worker + i) % processors.Length];
        }

        return rotated;
    }

    // A worker and the processes of its address spaces take turns, so one processor is enough for them, and each turn is cheaper there.
    private void Work(int[] processors, CancellationToken cancellation)
    {
        bool isBound = processors.Length > 1 && ProcessorBinding.Bind(0, processors.AsSpan(0, 1));
        using var engines = new EnginePair { Processors = isBound ? processors : [] };
        GeneratorOptions options = Choices(_options);
        var coverage = new Coverage();
        var steps = new List<Step>();
        while (!cancellation.IsCancellationRequested && !IsOver())
        {
            ulong seed = NextSeed();
            steps.Clear();
            int found = 0;
            (Difference? difference, IReadOnlyList<string> excused) = Generate(
                engines, seed, options, PairRunMode.Quick, steps, (before, outcome) => found += coverage.Add(before, in outcome) ? 1 : 0);
            Interlocked.Add(ref _operations, steps.Count);
            Interlocked.Increment(ref _programs);
            if (difference is not null)
            {
                Found(engines, seed, steps, difference);
            }

            Excuse(excused);
            Tell(seed, coverage, found);
        }

        lock (_gate)
        {
            _coverage.Merge(coverage);
        }
    }

    private ulong NextSeed()
    {
        lock (_gate)
        {
            ulong random = _seeds.Next() << ProgramGenerator.ProfileBits;
            return random | (ulong)(_options.OnlyAbout ?? _profiles.Choose(ref _seeds));
        }
    }

    private void Excuse(IReadOnlyList<string> rules)
    {
        lock (_gate)
        {
            foreach (string rule in rules)
            {
                _explained[rule] = _explained.GetValueOrDefault(rule) + 1;
            }
        }
    }

    private void Found(EnginePair engines, ulong seed, List<Step> steps, Difference difference)
    {
        string? rule = ExplainedDifferences.Explain(difference, steps);
        lock (_gate)
        {
            if (rule is not null)
            {
                _explained[rule] = _explained.GetValueOrDefault(rule) + 1;
                return;
            }

            if (_differences.IsKnown(difference, steps))
            {
                return;
            }
        }

        KernelDifference described = DifferenceList.Minimise(engines, seed, steps, difference);

        // Not everything is compared after each step here: what is explained may have been seen late, by what came of it.
        string? known = described.IsReproducible ? null : ProgramReplay.RuleOf(engines, steps);
        lock (_gate)
        {
            if (known is not null)
            {
                _explained[known] = _explained.GetValueOrDefault(known) + 1;
                return;
            }

            if (!described.IsReproducible)
            {
                _unstable.Add(described);
                return;
            }

            if (!_differences.Add(described, difference, steps))
            {
                return;
            }
        }

        _options.Found?.Invoke(described);
    }

    private void Tell(ulong seed, Coverage coverage, int found)
    {
        KernelCheckProgress progress;
        lock (_gate)
        {
            _profiles.Credit(seed, found);
            TimeSpan now = Stopwatch.GetElapsedTime(_start);
            if (_options.Progress is null || now.TotalMilliseconds - _lastProgress < 500)
            {
                return;
            }

            _lastProgress = (long)now.TotalMilliseconds;
            progress = new(Interlocked.Read(ref _operations), now, coverage.Count, _differences.Count);
        }

        _options.Progress(progress);
    }

    private bool IsOver()
    {
        lock (_gate)
        {
            return (_options.Operations > 0 && Interlocked.Read(ref _operations) >= _options.Operations)
                || (_options.Duration > TimeSpan.Zero && Stopwatch.GetElapsedTime(_start) >= _options.Duration)
                || _differences.Count >= _options.MaximumDifferences;
        }
    }

    private KernelCheckReport Report()
    {
        lock (_gate)
        {
            return new()
            {
                Operations = _operations,
                Programs = _programs,
                Elapsed = Stopwatch.GetElapsedTime(_start),
                Seed = _options.Seed,
                Differences = _differences.All,
                Unstable = _unstable,
                Explained = _explained,
                TuplesReached = _coverage.Count,
                Reached = _coverage.Describe(),
                NeverReached = _coverage.NeverReached(),
            };
        }
    }
}
