using System;
using Faultline.Mm;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Races;

namespace Faultline.Verification.Pagers;

/// <summary>
/// Runs a program of yours, a consumer of <see cref="IUserfaultfd"/>, the pager, or a policy, in every interleaving, on the managed engine: in an ordinary
/// unit test, on any operating system, without rights.
/// </summary>
/// <remarks>
/// Set the switch <see cref="Seam.SwitchName"/> in the project file of the tests, or call <see cref="TurnOn"/> before anything of Faultline is used. Threads
/// are started by <see cref="PagerBed.Start"/>, and wait only in calls of Faultline; a lock of the program's own may be held only where no such call is made,
/// or be one of <c>Faultline.Sync</c>.
/// </remarks>
public static class PagerTrial
{
    private const int MaxSteps = 50_000;

    /// <summary>Longer than the deadlines of a pager: who sleeps longer by the schedule's clock sleeps for ever.</summary>
    private const long MaxClockMs = 120_000;

    private static readonly ExplorationBounds Bounds = new(MaxSteps: MaxSteps) { MaxClockMs = MaxClockMs };

    static PagerTrial() => TurnOn();

    /// <summary>Lets schedules be controlled in this process, if nothing of Faultline has been used yet.</summary>
    public static void TurnOn()
    {
        AppContext.SetSwitch(Seam.SwitchName, true);
        AppContext.SetSwitch(FillSteps.SwitchName, true);
    }

    /// <summary>Runs a program in every interleaving, or in as many as the options say.</summary>
    /// <param name="program">
    /// The program; called once for each schedule, as its first thread. It throws, or calls <see cref="PagerBed.Require"/>, if something is wrong.
    /// </param>
    /// <param name="options">How many, and which troubles; null for the defaults.</param>
    public static PagerTrialResult Explore(Action<PagerBed> program, PagerTrialOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        options ??= new PagerTrialOptions();
        var search = RaceSearch.Run(() => Make(program, options), Bounds, options.Spend, options.Seed);
        return new PagerTrialResult
        {
            Schedules = search.Schedules,
            IsComplete = search.IsComplete,
            CompletePreemptions = search.CompletePreemptions,
            Failure = search.Failure,
        };
    }

    /// <summary>Runs one schedule again: with a debugger, or after a change.</summary>
    /// <param name="program">The program.</param>
    /// <param name="path">The schedule, as <see cref="ScheduleFailure.Path"/> prints it.</param>
    /// <param name="options">The options of the run that failed.</param>
    /// <returns>How it fails; null if it does not, or no longer.</returns>
    public static ScheduleFailure? Replay(Action<PagerBed> program, string path, PagerTrialOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        options ??= new PagerTrialOptions();
        return Exploration.Replay(() => Make(program, options), path, Bounds);
    }

    private static ScheduledProgram Make(Action<PagerBed> program, PagerTrialOptions options)
    {
        PagerBed bed = new(options);
        return new ScheduledProgram([() => bed.Run(program)], bed.Check) { ThreadNames = ["main"], Cleanup = bed.Cleanup };
    }
}
