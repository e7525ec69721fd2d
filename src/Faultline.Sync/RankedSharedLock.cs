using System;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Sync;

/// <summary>A lock with a rank that many readers or one writer may hold (Linux: <c>rw_semaphore</c>). Not recursive.</summary>
/// <param name="rank">Its place in the lock order.</param>
/// <param name="beforeWriteExit">What a writer does last, while it still has the lock; null for nothing.</param>
/// <remarks>
/// Readers count themselves in a cache line of their processor, so that they do not meet (Linux: <c>percpu_rw_semaphore</c>); a writer
/// waits for every line to come to zero. The two agree as in Dekker's algorithm: a reader counts first and looks for a writer then, a writer
/// announces itself first and looks at the counts then, each with a full barrier in between. A writer that waits comes before new readers.
/// </remarks>
public sealed class RankedSharedLock(LockRank rank, Action? beforeWriteExit = null)
{
    /// <summary>How often a writer looks for the readers to have gone before it sleeps.</summary>
    private const int LooksBeforeSleep = 100;

    private readonly ReaderCounts _readers = new();

    /// <summary>Held by a writer as long as it has the lock; taken for a moment by readers that must wait for one.</summary>
    private readonly Lock _writers = new();

    /// <summary>Where a writer sleeps until the last reader has left.</summary>
    private readonly object _drained = new();

    /// <summary>Whether a writer has the lock or waits for readers. Guard: <see cref="_writers"/>.</summary>
    private int _hasWriter;

    /// <summary>Whether a writer sleeps. Guard: <see cref="_drained"/>.</summary>
    private int _isWriterAsleep;

    /// <summary>Its place in the lock order.</summary>
    public LockRank Rank { get; } = rank;

    /// <summary>Takes the lock for reading.</summary>
    /// <returns>The proof; dispose it to let go.</returns>
    public ReadScope EnterRead()
    {
        HeldRanks.Check(Rank);
        if (Seam.IsOn)
        {
            Acquire(HoldMode.Shared);
        }

        int line = _readers.Enter();
        if (Volatile.Read(ref _hasWriter) != 0)
        {
            WaitForWriter(line);
        }

        HeldRanks.Push(Rank);
        return new ReadScope(this, line);
    }

    /// <summary>Takes the lock for writing.</summary>
    /// <returns>The proof; dispose it to let go.</returns>
    public WriteScope EnterWrite()
    {
        HeldRanks.Check(Rank);
        if (Seam.IsOn)
        {
            Acquire(HoldMode.Exclusive);
        }

        _writers.Enter();
        Interlocked.Exchange(ref _hasWriter, 1);
        WaitForReaders();
        HeldRanks.Push(Rank);
        return new WriteScope(this);
    }

    private void Acquire(HoldMode mode)
    {
        if (Seam.Current is { } schedule)
        {
            schedule.CheckOrder(Rank, LockPlace.Single);
            schedule.Acquire(this, Rank, mode);
        }
    }

    private void ExitRead(int line)
    {
        LeaveLine(line);
        HeldRanks.Pop(Rank);
        if (Seam.IsOn)
        {
            Seam.Current?.Release(this, Rank, HoldMode.Shared);
        }
    }

    private void ExitWrite()
    {
        beforeWriteExit?.Invoke();
        Volatile.Write(ref _hasWriter, 0);
        _writers.Exit();
        HeldRanks.Pop(Rank);
        if (Seam.IsOn)
        {
            Seam.Current?.Release(this, Rank, HoldMode.Exclusive);
        }
    }

    /// <summary>A reader that met a writer steps back, and counts again when no writer can be there.</summary>
    private void WaitForWriter(int line)
    {
        LeaveLine(line);
        _writers.Enter();
        _readers.EnterAgain(line);
        _writers.Exit();
    }

    private void LeaveLine(int line)
    {
        _readers.Leave(line);
        if (Volatile.Read(ref _isWriterAsleep) != 0)
        {
            lock (_drained)
            {
                Monitor.Pulse(_drained);
            }
        }
    }

    private void WaitForReaders()
    {
        SpinWait spin = default;
        for (int looks = 0; looks < LooksBeforeSleep; looks++)
        {
            if (_readers.IsZero)
            {
                return;
            }

            spin.SpinOnce(sleep1Threshold: -1);
        }

        lock (_drained)
        {
            Interlocked.Exchange(ref _isWriterAsleep, 1);
            while (!_readers.IsZero)
            {
                Monitor.Wait(_drained);
            }

            Volatile.Write(ref _isWriterAsleep, 0);
        }
    }

    /// <summary>The proof that the lock is held for reading.</summary>
    public ref struct ReadScope
    {
        private readonly int _line;
        private RankedSharedLock? _owner;

        internal ReadScope(RankedSharedLock owner, int line)
        {
            _owner = owner;
            _line = line;
        }

        /// <summary>Lets go of the lock; harmless a second time.</summary>
        public void Dispose()
        {
            if (_owner is { } owner)
            {
                _owner = null;
                owner.ExitRead(_line);
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
