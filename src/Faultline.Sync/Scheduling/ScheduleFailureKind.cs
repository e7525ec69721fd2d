namespace Faultline.Sync.Scheduling;

/// <summary>What went wrong in a schedule.</summary>
public enum ScheduleFailureKind
{
    /// <summary>No thread can run, and one of them waits for a lock: a ring of locks, or a sleep under a lock that the waker needs.</summary>
    Deadlock,

    /// <summary>No thread can run, and those that have not ended sleep: a wake was lost, or never sent.</summary>
    LostWake,

    /// <summary>A lock was taken out of turn.</summary>
    LockOrder,

    /// <summary>A thread threw.</summary>
    Exception,

    /// <summary>The check at the end, or the one at a quiet moment, threw.</summary>
    Invariant,

    /// <summary>The threads went on past the bound: a loop that waits for another thread without sleeping.</summary>
    StepBound,
}
