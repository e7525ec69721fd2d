using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Pagers;

/// <summary>What a <see cref="PagerTrial"/> found.</summary>
public sealed record PagerTrialResult
{
    /// <summary>How many schedules ran.</summary>
    public required long Schedules { get; init; }

    /// <summary>Whether every interleaving was covered.</summary>
    public required bool IsComplete { get; init; }

    /// <summary>If not: every interleaving with so many preemptions was; -1 for none.</summary>
    public required int CompletePreemptions { get; init; }

    /// <summary>The failure with the fewest preemptions that was found; null if there was none.</summary>
    public required ScheduleFailure? Failure { get; init; }

    /// <summary>Throws if there was a failure; the message has the line that runs it again.</summary>
    /// <exception cref="ScheduleFailedException">There was one.</exception>
    public PagerTrialResult ThrowIfFailed() => Failure is null ? this : throw new ScheduleFailedException(Failure);
}
