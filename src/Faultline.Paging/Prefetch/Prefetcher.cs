using System;
using System.Collections.Generic;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>
/// Brings guesses, on a thread of its own: no handler ever reads, fills or waits for a page that nobody wants. A guess waits here until its image has
/// a load to spare; a wanted page does not pass through here at all, and so overtakes everything that waits.
/// </summary>
/// <remarks>The thread is started by the first guess.</remarks>
internal sealed class Prefetcher(PagerCore core) : IDisposable
{
    private readonly RankedLock _lock = new(LockRank.PagerGuesses);
    private readonly Parker _parker = new();

    /// <summary>Guesses not looked at yet. Guard: the lock.</summary>
    private readonly Queue<Guess> _queued = new();

    /// <summary>Guesses whose reads have ended. Guard: the lock.</summary>
    private readonly List<PageLoad> _ended = [];

    /// <summary>Guesses that wait for a load to spare. Only the thread uses it.</summary>
    private readonly List<Guess> _waiting = [];

    /// <summary>Guard: the lock.</summary>
    private SeamThread? _thread;

    private int _waitingCount;
    private volatile bool _isStopped;

    /// <summary>Guesses that wait for their turn.</summary>
    public int Queued
    {
        get
        {
            using RankedLock.Scope held = _lock.Enter();
            return _queued.Count + Volatile.Read(ref _waitingCount);
        }
    }

    /// <summary>Takes a guess, if not too many wait.</summary>
    public bool TryEnqueue(in Guess guess)
    {
        using (RankedLock.Scope held = _lock.Enter())
        {
            if (_isStopped || _queued.Count + Volatile.Read(ref _waitingCount) >= core.Options.Prefetch.QueuedGuesses)
            {
                return false;
            }

            _queued.Enqueue(guess);
            _thread ??= Seam.Start("faultline-prefetch", Run);
        }

        _parker.Unpark();
        return true;
    }

    /// <summary>Takes a guess whose read has ended; false if it is wanted meanwhile, or nobody is there to take it: a handler has to.</summary>
    public bool TryTake(PageLoad load)
    {
        using (RankedLock.Scope held = _lock.Enter())
        {
            if (_isStopped || load.IsWanted)
            {
                return false;
            }

            _ended.Add(load);
        }

        // Whoever wants it from here on sees it in the list; whoever did before is seen here.
        if (load.IsWanted && Remove(load))
        {
            return false;
        }

        _parker.Unpark();
        return true;
    }

    /// <summary>Ends the guesses that have been read, and are wanted since. For whoever has just joined one.</summary>
    public void EndWanted(FaultWorker worker)
    {
        while (TakeEnded(wantedOnly: true) is { } load)
        {
            PageFill.End(core, load, worker);
        }
    }

    /// <summary>A load has ended, or is a guess no more: perhaps there is one to spare now.</summary>
    public void SlotFreed()
    {
        Seam.Touch(this, TouchKind.Read);
        if (Volatile.Read(ref _waitingCount) != 0)
        {
            _parker.Unpark();
        }
    }

    /// <summary>Stops the thread. Tables have been closed before, so what was being read has been given up.</summary>
    public void Dispose()
    {
        SeamThread? thread;
        using (RankedLock.Scope held = _lock.Enter())
        {
            _isStopped = true;
            thread = _thread;
        }

        _parker.Unpark();
        if (thread is null || (!thread.IsCurrent && thread.Join(core.Options.LoadDeadline)))
        {
            _parker.Dispose();
        }
    }

    private void Run()
    {
        using FaultWorker worker = new();
        while (!_isStopped)
        {
            if (TakeEnded(wantedOnly: false) is { } load)
            {
                PageFill.End(core, load, worker);
                core.Loop.Work(worker);
            }
            else if (!TryBegin(worker))
            {
                _parker.Park();
            }
        }
    }

    /// <summary>Begins the first guess that may begin.</summary>
    private bool TryBegin(FaultWorker worker)
    {
        using (RankedLock.Scope held = _lock.Enter())
        {
            while (_queued.TryDequeue(out Guess guess))
            {
                _waiting.Add(guess);
            }

            Seam.Touch(this, TouchKind.Write);
            Volatile.Write(ref _waitingCount, _waiting.Count);
        }

        for (int i = 0; i < _waiting.Count; i++)
        {
            GuessStart start = _waiting[i].Table.TryBeginGuess(_waiting[i].First, _waiting[i].End, out PageLoad? load);
            if (start == GuessStart.NoSlot)
            {
                continue;
            }

            if (start == GuessStart.Begun && load!.End < _waiting[i].End)
            {
                // Behind pages that are there already, more may be absent.
                _waiting[i] = _waiting[i] with { First = load.End };
            }
            else
            {
                _waiting.RemoveAt(i--);
                Seam.Touch(this, TouchKind.Write);
                Volatile.Write(ref _waitingCount, _waiting.Count);
            }

            if (load is not null)
            {
                Read(load, worker);
                return true;
            }
        }

        return false;
    }

    private void Read(PageLoad load, FaultWorker worker)
    {
        if (load.Read())
        {
            PageFill.End(core, load, worker);
            core.Loop.Work(worker);
        }
    }

    private PageLoad? TakeEnded(bool wantedOnly)
    {
        using RankedLock.Scope held = _lock.Enter();
        int index = _ended.FindIndex(static load => load.IsWanted);
        if (index < 0 && !wantedOnly)
        {
            index = _ended.Count == 0 ? -1 : 0;
        }

        if (index < 0)
        {
            return null;
        }

        PageLoad taken = _ended[index];
        _ended.RemoveAt(index);
        return taken;
    }

    private bool Remove(PageLoad load)
    {
        using RankedLock.Scope held = _lock.Enter();
        return _ended.Remove(load);
    }
}
