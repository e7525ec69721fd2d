using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races;

/// <summary>Whether a canary was caught.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Story">What is broken.</param>
/// <param name="Expected">How it has to show.</param>
/// <param name="Schedules">After how many schedules the search ended.</param>
/// <param name="Failure">How it showed; null if it did not.</param>
public sealed record CanaryResult(string Name, string Story, ScheduleFailureKind Expected, long Schedules, RaceFailure? Failure)
{
    /// <summary>Whether it was not caught, or as something else: then the search proves nothing.</summary>
    public bool HasSurvived => Failure?.Kind != Expected;
}
