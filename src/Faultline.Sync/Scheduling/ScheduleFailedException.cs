using System;

namespace Faultline.Sync.Scheduling;

/// <summary>A program failed under some schedule.</summary>
/// <param name="failure">The failure.</param>
public sealed class ScheduleFailedException(ScheduleFailure failure) : Exception(failure.ToString(), failure.Exception)
{
    /// <summary>The failure.</summary>
    public ScheduleFailure Failure { get; } = failure;
}
