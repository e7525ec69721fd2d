using System;

namespace Faultline.Sync.Scheduling;

/// <summary>
/// The scheduler as one of its threads sees it. The locks and parkers of this library call it before they act, so that the caller runs
/// on only when it is chosen, and never has to wait in the operating system.
/// </summary>
internal interface ISchedule
{
    /// <summary>The schedule's clock, in milliseconds.</summary>
    long NowMs { get; }

    /// <summary>A place where another thread may be chosen to run first.</summary>
    void Point(in Step step);

    /// <summary>A place where another thread has to run first, if any can.</summary>
    void Yield();

    /// <summary>Returns when the caller was chosen to run and the condition holds; changes of what it looks at are announced as writes.</summary>
    void Await(object target, Func<bool> condition);

    /// <summary>Returns when every other thread sleeps, waits for the caller, or has ended.</summary>
    void AwaitQuiet();

    /// <summary>From here on nothing is chosen: the caller runs on while it can, and the others in turn when it cannot.</summary>
    /// <returns>Whether it was so already.</returns>
    bool BeginCalm();

    /// <summary>From here on there are choices again.</summary>
    void EndCalm();

    /// <summary>Fails the schedule if a lock of this rank may not be taken now.</summary>
    void CheckOrder(LockRank rank, LockPlace place);

    /// <summary>Returns when the caller was chosen to run and the lock is free for it; the caller then holds it.</summary>
    void Acquire(object latch, LockRank rank, HoldMode mode);

    /// <summary>A point, then the lock is taken if it is free.</summary>
    /// <returns>Whether the caller holds it now.</returns>
    bool TryAcquire(object latch, LockRank rank);

    /// <summary>A point, then the caller has let go of the lock.</summary>
    void Release(object latch, LockRank rank, HoldMode mode);

    /// <summary>Returns when the caller was chosen to run and a wake is kept for it, or its time ran out.</summary>
    /// <param name="parker">Where it sleeps.</param>
    /// <param name="timeoutMs">The longest sleep; -1 is without end.</param>
    /// <returns>Whether a wake is kept in <paramref name="parker"/>; taking it is the caller's.</returns>
    bool Park(Parker parker, int timeoutMs);

    /// <summary>Starts another thread of the schedule.</summary>
    /// <returns>The thread, for <see cref="Join"/>.</returns>
    object Start(string name, Action body);

    /// <summary>Returns when a thread has ended.</summary>
    void Join(object thread);
}
