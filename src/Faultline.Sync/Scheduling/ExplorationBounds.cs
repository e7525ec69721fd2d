namespace Faultline.Sync.Scheduling;

/// <summary>How far an exploration goes.</summary>
/// <param name="MaxSchedules">Schedules run at the most, those counted that are cut short as repetitions of others.</param>
/// <param name="MaxPreemptions">How often one schedule may leave a thread that could have gone on; most bugs need two.</param>
/// <param name="MaxSteps">Points passed by one schedule at the most: a bound on loops that wait without sleeping.</param>
/// <param name="StallMs">Milliseconds of real time without a step after which a thread is taken to wait outside this library.</param>
public sealed record ExplorationBounds(
    long MaxSchedules = 1_000_000,
    int MaxPreemptions = int.MaxValue,
    int MaxSteps = 10_000,
    int StallMs = 10_000)
{
    /// <summary>
    /// How far a schedule's clock may go: who sleeps longer than that is taken to sleep for ever. For programs with threads that wake up at intervals.
    /// </summary>
    public long MaxClockMs { get; init; } = long.MaxValue;

    /// <summary>Milliseconds of real time after which no further schedule is begun.</summary>
    public long MaxMilliseconds { get; init; } = long.MaxValue;
}
