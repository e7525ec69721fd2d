using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>
/// Faults put aside: their address space is changing, or there is no room, or nobody serves their address yet. They are tried again when
/// the client's next event
/// has been read, and by a timer that grows from 1 ms to 10 ms. Never dropped, never spun on.
/// </summary>
internal sealed class FaultParking
{
    private const int FirstDelayMs = 1;
    private const int LongestDelayMs = 10;

    private readonly RankedLock _lock = new(LockRank.PagerParking);

    /// <summary>The faults. Guard: the lock.</summary>
    private readonly List<Parked> _parked = [];

    /// <summary>How many there are, for a look without the lock.</summary>
    private int _count;

    /// <summary>How many there are. A guess.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Puts a fault aside; <paramref name="reason"/> counts why.</summary>
    public void Put(in PageFault fault, PagerCounter reason)
    {
        int delayMs = Math.Min(LongestDelayMs, FirstDelayMs << Math.Min(fault.Attempts, 4));
        fault.Client.Counters.Add(PagerCounter.ParkedFaults);
        fault.Client.Counters.Add(reason);
        using RankedLock.Scope held = _lock.Enter();
        _parked.Add(new Parked(fault.Again(), Seam.Timestamp + (Stopwatch.Frequency * delayMs / 1000)));
        Seam.Touch(this, TouchKind.Write);
        Volatile.Write(ref _count, _parked.Count);
    }

    /// <summary>Hands out the faults whose time has come.</summary>
    public void TakeDue(FaultWorker worker)
    {
        Seam.Touch(this, TouchKind.Read);
        if (Volatile.Read(ref _count) != 0)
        {
            Take(worker, client: null, Seam.Timestamp);
        }
    }

    /// <summary>Hands out the faults of a client, due or not.</summary>
    public void TakeAllOf(PagerClient client, FaultWorker worker)
    {
        Seam.Touch(this, TouchKind.Read);
        if (Volatile.Read(ref _count) != 0)
        {
            Take(worker, client, long.MinValue);
        }
    }

    /// <summary>How long the next one is not due yet, in milliseconds; -1 if there is none.</summary>
    public int NextDueMs()
    {
        Seam.Touch(this, TouchKind.Read);
        if (Volatile.Read(ref _count) == 0)
        {
            return Timeout.Infinite;
        }

        using RankedLock.Scope held = _lock.Enter();
        long next = long.MaxValue;
        foreach (Parked parked in _parked)
        {
            next = Math.Min(next, parked.DueAt);
        }

        if (next == long.MaxValue)
        {
            return Timeout.Infinite;
        }

        TimeSpan left = Stopwatch.GetElapsedTime(Seam.Timestamp, next);
        return (int)Math.Clamp(Math.Ceiling(left.TotalMilliseconds), 0, LongestDelayMs);
    }

    private void Take(FaultWorker worker, PagerClient? client, long now)
    {
        using RankedLock.Scope held = _lock.Enter();
        int kept = 0;
        for (int i = 0; i < _parked.Count; i++)
        {
            Parked parked = _parked[i];
            if (ReferenceEquals(parked.Fault.Client, client) || parked.DueAt <= now)
            {
                parked.Fault.Client.Counters.Add(PagerCounter.RetriedFaults);
                worker.Put(parked.Fault);
            }
            else
            {
                _parked[kept++] = parked;
            }
        }

        _parked.RemoveRange(kept, _parked.Count - kept);
        Seam.Touch(this, TouchKind.Write);
        Volatile.Write(ref _count, kept);
    }

    private readonly record struct Parked(PageFault Fault, long DueAt);
}
