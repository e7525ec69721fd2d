namespace Faultline.Sync.Scheduling;

/// <summary>
/// The scheduler as one of its threads sees it. The locks and parkers of this library call it before they act, so that the caller runs
/// on only when it is chosen, and never has to wait in the operating system.
/// </summary>
public interface ISchedule
{
    /// <summary>A place where another thread may be chosen to run first.</summary>
    void Point();

    /// <summary>Returns when the caller was chosen to run and the lock is free for it; the caller then holds it.</summary>
    /// <param name="latch">The lock.</param>
    /// <param name="rank">Its rank, for messages.</param>
    /// <param name="mode">How it is to be held.</param>
    void Acquire(object latch, LockRank rank, HoldMode mode);

    /// <summary>A point, then the lock is taken if it is free.</summary>
    /// <param name="latch">The lock.</param>
    /// <param name="rank">Its rank, for messages.</param>
    /// <param name="mode">How it is to be held.</param>
    /// <returns>Whether the caller holds it now.</returns>
    bool TryAcquire(object latch, LockRank rank, HoldMode mode);

    /// <summary>The caller has let go of the lock; then a point.</summary>
    /// <param name="latch">The lock.</param>
    /// <param name="mode">How it was held.</param>
    void Release(object latch, HoldMode mode);

    /// <summary>Returns when the caller was chosen to run and a wake is kept for it, or its time ran out.</summary>
    /// <param name="parker">Where it sleeps.</param>
    /// <param name="timeoutMs">The longest sleep; -1 is without end.</param>
    /// <returns>Whether a wake is kept in <paramref name="parker"/>; taking it is the caller's.</returns>
    bool Park(Parker parker, int timeoutMs);
}
