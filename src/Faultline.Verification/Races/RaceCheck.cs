using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Mm;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races;

/// <summary>Runs the scenarios and the canaries: <c>faultline check races</c>.</summary>
public static class RaceCheck
{
    /// <summary>The most points of one schedule: a scenario passes some hundred.</summary>
    private const int MaxSteps = 20_000;

    /// <summary>Longer than any deadline of the pager by the schedule's clock.</summary>
    private const long MaxClockMs = 120_000;

    private const int CanarySteps = 3_000;
    private const long CanarySchedules = 3_000;

    private static readonly ExplorationBounds Bounds = new(MaxSteps: MaxSteps) { MaxClockMs = MaxClockMs };

    private static readonly ExplorationBounds CanaryBounds = new(MaxSteps: CanarySteps) { MaxClockMs = MaxClockMs };

    static RaceCheck()
    {
        // Before anything of the engine is touched: both are read once.
        AppContext.SetSwitch(Seam.SwitchName, true);
        AppContext.SetSwitch(FillSteps.SwitchName, true);
    }

    /// <summary>The names of the scenarios.</summary>
    public static IReadOnlyList<string> Names => [.. RaceScenarios.All.Select(scenario => scenario.Name)];

    /// <summary>Runs the scenarios.</summary>
    /// <param name="options">How long.</param>
    /// <param name="finished">Called with each result; null for nobody.</param>
    public static IReadOnlyList<RaceResult> Run(RaceCheckOptions options, Action<RaceResult>? finished = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        RaceScenario[] scenarios =
            [.. RaceScenarios.All.Where(scenario => options.Name is null || scenario.Name.Contains(options.Name, StringComparison.OrdinalIgnoreCase))];
        var results = new RaceResult[scenarios.Length];
        long began = TimeProvider.System.GetTimestamp();
        int workers = Math.Min(options.Workers, scenarios.Length);
        int begun = 0;
        Lock report = new();
        Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, _ =>
        {
            for (int i = Interlocked.Increment(ref begun) - 1; i < scenarios.Length; i = Interlocked.Increment(ref begun) - 1)
            {
                // What one does not need the others have.
                double left = Math.Max(0, options.Time.TotalMilliseconds - TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
                results[i] = Run(scenarios[i], left * workers / (scenarios.Length - i + workers - 1), options.Seed);
                lock (report)
                {
                    finished?.Invoke(results[i]);
                }
            }
        });
        return results;
    }

    /// <summary>Runs the canaries.</summary>
    /// <param name="finished">Called with each result; null for nobody.</param>
    public static IReadOnlyList<CanaryResult> RunCanaries(Action<CanaryResult>? finished = null)
    {
        List<CanaryResult> results = [];
        foreach (Func<RaceCanary> make in RaceCanaries.All)
        {
            RaceCanary canary = make();
            RaceSearch found = SearchCanary(make);
            CanaryResult result = new(
                canary.Name, canary.Story, canary.Kind, found.Schedules, found.Failure is { } failure ? RaceFailure.Of(failure) : null);
            results.Add(result);
            finished?.Invoke(result);
        }

        return results;
    }

    /// <summary>Runs one schedule of a scenario or of a canary again.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="path">The schedule, as a failure printed it.</param>
    /// <returns>How it fails; null if it does not.</returns>
    /// <exception cref="ArgumentException">There is no such scenario, or the path is not one of its schedules.</exception>
    public static RaceFailure? Replay(string name, string path)
    {
        try
        {
            (Func<ScheduledProgram> program, ExplorationBounds bounds) = ProgramOf(name);
            ScheduleFailure? failure = Exploration.Replay(program, path, bounds);
            return failure is null ? null : RaceFailure.Of(failure);
        }
        catch (Exception exception) when (exception is FormatException or InvalidOperationException)
        {
            throw new ArgumentException(exception.Message, nameof(path), exception);
        }
    }

    private static (Func<ScheduledProgram> Program, ExplorationBounds Bounds) ProgramOf(string name)
    {
        if (RaceScenarios.All.FirstOrDefault(scenario => scenario.Name == name) is { } scenario)
        {
            return (() => Program(scenario), Bounds);
        }

        Func<RaceCanary> make = RaceCanaries.All.FirstOrDefault(make => make().Name == name)
            ?? throw new ArgumentException($"There is no scenario '{name}'. There are: {string.Join(", ", Names)}.", nameof(name));
        return (() => Program(make()), CanaryBounds);
    }

    internal static RaceResult Run(RaceScenario scenario, double milliseconds, int seed)
    {
        long began = TimeProvider.System.GetTimestamp();
        var search = RaceSearch.Run(() => Program(scenario), Bounds, new SearchSpend(milliseconds), seed);
        return new RaceResult
        {
            Name = scenario.Name,
            Story = scenario.Story,
            Schedules = search.Schedules,
            Sampled = search.Sampled,
            IsComplete = search.IsComplete,
            CompletePreemptions = search.CompletePreemptions,
            Milliseconds = TimeProvider.System.GetElapsedTime(began).TotalMilliseconds,
            Failures = search.Failure is { } failure ? [RaceFailure.Of(failure)] : [],
        };
    }

    internal static RaceSearch SearchCanary(Func<RaceCanary> make) =>
        RaceSearch.Run(() => Program(make()), CanaryBounds, new SearchSpend(Schedules: CanarySchedules), seed: 1);

    internal static ScheduledProgram Program(RaceCanary canary)
    {
        RaceBed bed = new(canary.BrokenSteps());
        canary.Arrange(bed);
        return bed.ToProgram();
    }

    private static ScheduledProgram Program(RaceScenario scenario)
    {
        RaceBed bed = new(steps: null, scenario.MemoryBytes, scenario.HugePages);
        scenario.Arrange(bed);
        return bed.ToProgram();
    }
}
