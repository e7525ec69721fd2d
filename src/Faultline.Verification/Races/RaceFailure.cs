using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races;

/// <summary>A schedule under which a scenario fails.</summary>
/// <param name="Kind">What went wrong.</param>
/// <param name="Message">The same in a sentence.</param>
/// <param name="Path">The schedule, for <see cref="RaceCheck.Replay"/>.</param>
/// <param name="Preemptions">How often it leaves a thread that could have gone on.</param>
public sealed record RaceFailure(ScheduleFailureKind Kind, string Message, string Path, int Preemptions)
{
    internal static RaceFailure Of(ScheduleFailure failure) => new(failure.Kind, failure.Message, failure.Path, failure.Preemptions);
}
