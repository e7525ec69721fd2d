namespace Faultline.Sync.Scheduling;

/// <summary>How one schedule ended.</summary>
/// <param name="Failure">How it failed; null if it did not.</param>
/// <param name="IsRedundant">Whether it was cut short because it could only repeat another one.</param>
/// <param name="Steps">Points passed.</param>
internal readonly record struct ScheduleOutcome(ScheduleFailure? Failure, bool IsRedundant, int Steps);
