using System;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Sync;

/// <summary>A lock with a rank that many readers or one writer may hold (Linux: <c>rw_semaphore</c>). Not recursive.</summary>
/// <param name="rank">Its place in the lock order.</param>
public sealed class RankedSharedLock(LockRank rank) : IDisposable
{
    private readonly ReaderWriterLockSlim _lock = new(LockRecursionPolicy.NoRecursion);

    /// <summary>Its place in the lock order.</summary>
    public LockRank Rank { get; } = rank;

    /// <summary>Takes the lock for reading.</summary>
    /// <returns>The proof; dispose it to let go.</returns>
    public ReadScope EnterRead()
    {
        HeldRanks.Check(Rank);
        if (Seam.IsOn)
        {
            Seam.Current?.Acquire(this, Rank, HoldMode.Shared);
        }

        _lock.EnterReadLock();
        HeldRanks.Push(Rank);
        return new ReadScope(this);
    }

    /// <summary>Takes the lock for writing.</summary>
    /// <returns>The proof; dispose it to let go.</returns>
    public WriteScope EnterWrite()
    {
        HeldRanks.Check(Rank);
        if (Seam.IsOn)
        {
            Seam.Current?.Acquire(this, Rank, HoldMode.Exclusive);
        }

        _lock.EnterWriteLock();
        HeldRanks.Push(Rank);
        return new WriteScope(this);
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private void ExitRead()
    {
        _lock.ExitReadLock();
        HeldRanks.Pop(Rank);
        if (Seam.IsOn)
        {
            Seam.Current?.Release(this, HoldMode.Shared);
        }
    }

    private void ExitWrite()
    {
        _lock.ExitWriteLock();
        HeldRanks.Pop(Rank);
        if (Seam.IsOn)
        {
            Seam.Current?.Release(this, HoldMode.Exclusive);
        }
    }

    /// <summary>The proof that the lock is held for reading.</summary>
    public ref struct ReadScope
    {
        private RankedSharedLock? _owner;

        internal ReadScope(RankedSharedLock owner) => _owner = owner;

        /// <summary>Lets go of the lock; harmless a second time.</summary>
        public void Dispose()
        {
            if (_owner is { } owner)
            {
                _owner = null;
                owner.ExitRead();
            }
        }
    }

    /// <summary>The proof that the lock is held for writing.</summary>
    public ref struct WriteScope
    {
        private RankedSharedLock? _owner;

        internal WriteScope(RankedSharedLock owner) => _owner = owner;

        /// <summary>Lets go of the lock; harmless a second time.</summary>
        public void Dispose()
        {
            if (_owner is { } owner)
            {
                _owner = null;
                owner.ExitWrite();
            }
        }
    }
}
