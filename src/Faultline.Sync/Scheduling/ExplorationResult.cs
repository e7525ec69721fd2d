namespace Faultline.Sync.Scheduling;

/// <summary>What an exploration found.</summary>
/// <param name="Schedules">How many schedules have run.</param>
/// <param name="IsComplete">Whether these were all there are within the bounds. A result that is neither complete nor a failure proves nothing.</param>
/// <param name="Failure">The first failure; null if there was none.</param>
public sealed record ExplorationResult(long Schedules, bool IsComplete, ScheduleFailure? Failure)
{
    /// <summary>How many more were cut short, because all that could follow was run already.</summary>
    public long Redundant { get; init; }

    /// <summary>Throws if there was a failure.</summary>
    /// <returns>This result.</returns>
    /// <exception cref="ScheduleFailedException">There was one.</exception>
    public ExplorationResult ThrowIfFailed() => Failure is null ? this : throw new ScheduleFailedException(Failure);
}
