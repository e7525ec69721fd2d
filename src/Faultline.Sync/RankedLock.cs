using System.Diagnostics;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Sync;

/// <summary>
/// A mutual-exclusion lock with a rank. Debug builds stop on a rank taken out of turn; release builds pay for the lock alone.
/// </summary>
/// <param name="rank">Its place in the lock order.</param>
public sealed class RankedLock(LockRank rank)
{
    private readonly Lock _lock = new();

    /// <summary>Its place in the lock order.</summary>
    public LockRank Rank { get; } = rank;

    /// <summary>Whether the calling thread holds the lock.</summary>
    public bool IsHeld => _lock.IsHeldByCurrentThread;

    /// <summary>Takes the lock, waiting as long as it needs.</summary>
    /// <returns>The proof that the lock is held; dispose it to let go.</returns>
    public Scope Enter()
    {
        HeldRanks.Check(Rank);
        if (Seam.IsOn)
        {
            Acquire(LockPlace.Single);
        }

        _lock.Enter();
        HeldRanks.Push(Rank);
        return new Scope(this);
    }

    /// <summary>Takes the lock if that needs no waiting. Out of rank order this is the only way.</summary>
    /// <returns>The proof; <see cref="Scope.IsHeld"/> tells whether it is one.</returns>
    public Scope TryEnter()
    {
        if (Seam.IsOn && Seam.Current is { } schedule && !schedule.TryAcquire(this, Rank))
        {
            return default;
        }

        if (!_lock.TryEnter())
        {
            return default;
        }

        HeldRanks.Push(Rank);
        return new Scope(this);
    }

    /// <summary>
    /// Takes the second of two locks of one rank (Linux: <c>SINGLE_DEPTH_NESTING</c>). The caller takes such pairs in one order of its own.
    /// </summary>
    /// <returns>The proof that the lock is held; dispose it to let go.</returns>
    public Scope EnterSecond()
    {
        HeldRanks.CheckSecond(Rank);
        if (Seam.IsOn)
        {
            Acquire(LockPlace.Second);
        }

        _lock.Enter();
        HeldRanks.Push(Rank);
        return new Scope(this);
    }

    /// <summary>Stops a debug build if the calling thread does not hold the lock.</summary>
    [Conditional("DEBUG")]
    public void AssertHeld() => Debug.Assert(IsHeld, $"The {Rank} lock must be held here.");

    private void Acquire(LockPlace place)
    {
        if (Seam.Current is { } schedule)
        {
            schedule.CheckOrder(Rank, place);
            schedule.Acquire(this, Rank, HoldMode.Exclusive);
        }
    }

    private void Exit()
    {
        _lock.Exit();
        HeldRanks.Pop(Rank);
        if (Seam.IsOn)
        {
            Seam.Current?.Release(this, Rank, HoldMode.Exclusive);
        }
    }

    /// <summary>The proof that a lock is held. Methods that need the lock take one by reference.</summary>
    public ref struct Scope
    {
        private RankedLock? _owner;

        internal Scope(RankedLock owner) => _owner = owner;

        /// <summary>Whether the lock is held by this proof.</summary>
        public readonly bool IsHeld => _owner is not null;

        /// <summary>Lets go of the lock; harmless a second time.</summary>
        public void Dispose()
        {
            if (_owner is { } owner)
            {
                _owner = null;
                owner.Exit();
            }
        }
    }
}
