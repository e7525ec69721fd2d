namespace Faultline.Sync.Scheduling;

/// <summary>What went wrong in a schedule.</summary>
public enum ScheduleFailureKind
{
    /// <summary>No thread can run, and not all have ended: a lock order that closes a ring, or a wake that was lost.</summary>
    Deadlock,

    /// <summary>A thread, or the check at the end, threw.</summary>
    Exception,

    /// <summary>The threads went on past the bound: most often a loop that waits for another thread without sleeping.</summary>
    StepBound,
}
