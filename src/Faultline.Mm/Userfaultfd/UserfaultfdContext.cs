using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// One userfaultfd: who waits, what is to be told, and to whom (Linux: <c>struct userfaultfd_ctx</c>). The calls are files of their own in this folder.
/// </summary>
/// <remarks>
/// A fault is queued as pending; a reader moves it to the read faults; a wake takes it out of either and wakes its thread, which faults again from the start.
/// An event is queued until it is read; the call that caused it sleeps that long. The queue lock is innermost of all: a fault is queued under the mmap lock.
/// </remarks>
internal sealed class UserfaultfdContext : UserfaultfdBinding
{
    private const int NotLatched = -1;

    private readonly RankedLock _queueLock = new(LockRank.MmUserfaultfdQueue);

    /// <summary>Who sleeps in a blocking read. Guard: <see cref="_queueLock"/>.</summary>
    private readonly List<Parker> _readers = [];

    private readonly Queue<PendingEvent> _events = new();

    /// <summary>Replaced, never changed. Guard for replacing: <see cref="_queueLock"/>.</summary>
    private IReadiness[] _pollers = [];

    /// <summary>Faults in the two queues below. Changed under <see cref="_queueLock"/>; read without it by those who would wake.</summary>
    private int _waiters;

    private FaultQueue _pending;
    private FaultQueue _read;

    /// <summary>The features, once the handshake has been made; changed once, atomically.</summary>
    private long _latched = NotLatched;

    /// <summary>
    /// Events begun whose calls have not come to their end (Linux: <c>mmap_changing</c>). Guard: atomic; raised under <see cref="MapChanging"/>.
    /// </summary>
    private int _mapChanging;

    /// <summary>Whether it is being closed: nobody is queued any more. Guard: <see cref="_queueLock"/>.</summary>
    private bool _isReleased;

    public UserfaultfdContext(MmState mm, UserfaultfdOptions options, PteInstallRule rule)
    {
        Mm = mm;
        Options = options;
        Rule = rule;
        mm.AddBinding(this);
    }

    /// <summary>The address space of its creator, for ever.</summary>
    public MmState Mm { get; }

    public UserfaultfdOptions Options { get; }

    /// <summary>How fills install entries.</summary>
    public PteInstallRule Rule { get; }

    /// <summary>Held for reading by fills, and for writing for the moment an event begins.</summary>
    public RankedSharedLock MapChanging { get; } = new(LockRank.MmMapChanging);

    public bool IsInitialized => Volatile.Read(ref _latched) != NotLatched;

    /// <summary>Whether an event is on its way: fills answer EAGAIN.</summary>
    public bool IsMapChanging
    {
        get
        {
            Seam.Touch(this, TouchKind.Read);
            return Volatile.Read(ref _mapChanging) != 0;
        }
    }

    public bool IsNonBlocking => (Options & UserfaultfdOptions.NonBlocking) != 0;

    public UserfaultfdCounts Counts
    {
        get
        {
            using RankedLock.Scope held = _queueLock.Enter();
            return new(_pending.Count, _pending.Count + _read.Count);
        }
    }

    /// <summary>How many faults are queued and will not go on unless they are woken: the others may find that they need not sleep.</summary>
    public int CountAsleep()
    {
        using RankedLock.Scope held = _queueLock.Enter();
        return AsleepIn(_pending) + AsleepIn(_read);
    }

    /// <summary>How many threads sleep in a blocking read, or are about to; none of those for whom there is a message.</summary>
    public int CountSleepingReaders()
    {
        using RankedLock.Scope held = _queueLock.Enter();
        return _pending.Count != 0 || _events.Count != 0 ? 0 : _readers.Count;
    }

    /// <summary>How many events nobody has read.</summary>
    public int CountEvents()
    {
        using RankedLock.Scope held = _queueLock.Enter();
        return _events.Count;
    }

    /// <summary>Whether a read would find something.</summary>
    public bool HasMessages
    {
        get
        {
            using RankedLock.Scope held = _queueLock.Enter();
            return _pending.Count != 0 || _events.Count != 0;
        }
    }

    /// <summary>Enables features, if none were before.</summary>
    public bool TryLatch(UserfaultfdFeatures features)
    {
        if (Interlocked.CompareExchange(ref _latched, (long)features, NotLatched) != NotLatched)
        {
            return false;
        }

        Features = features;
        return true;
    }

    /// <summary>Queues a fault, unless the context is released. The thread sleeps by <see cref="Sleep"/>, without any lock.</summary>
    public bool TryEnqueue(FaultWaiter waiter)
    {
        using RankedLock.Scope held = _queueLock.Enter();
        if (_isReleased)
        {
            return false;
        }

        Debug.Assert(waiter.Context is null, "A thread waits in one fault at a time.");
        waiter.Context = this;
        waiter.IsRead = false;
        waiter.IsAsleep = false;
        _pending.Append(waiter);
        SetWaiters(_waiters + 1);
        return true;
    }

    /// <summary>Takes a fault back that turned out to be none: the entry was filled meanwhile.</summary>
    public void Withdraw(FaultWaiter waiter)
    {
        using RankedLock.Scope held = _queueLock.Enter();
        RemoveLocked(waiter);
    }

    /// <summary>Sleeps until woken; in a user-mode fault also until interrupted. Afterwards the fault is in no queue.</summary>
    public void Sleep(FaultWaiter waiter, AccessMode mode)
    {
        NotifyReaders();
        waiter.IsAsleep = true;
        Mm.EnterSleep();
        SleepUntilWoken(waiter, mode);
        Mm.LeaveSleep();
    }

    private void SleepUntilWoken(FaultWaiter waiter, AccessMode mode)
    {
        while (true)
        {
            // Killed before we were queued: whoever killed may have looked for us too early.
            if (!Mm.IsKilled)
            {
                waiter.Park();
            }

            bool isInterrupted = mode == AccessMode.User && waiter.TakeInterrupt();
            using RankedLock.Scope held = _queueLock.Enter();
            if (waiter.Context is null)
            {
                return;
            }

            if (isInterrupted || Mm.IsKilled)
            {
                RemoveLocked(waiter);
                return;
            }
        }
    }

    /// <summary>Wakes the faults whose message address lies in a range (Linux: <c>wake_userfault</c>).</summary>
    /// <remarks>
    /// Between what the caller has changed and the look for waiters lies a full barrier, of a lock that was let go or of the handle's count of calls.
    /// A thread that is not seen here is queued later, and then finds the entry changed when it looks again.
    /// </remarks>
    public void Wake(ulong start, ulong length)
    {
        Seam.Touch(this, TouchKind.Read, place: 3);
        if (Volatile.Read(ref _waiters) == 0)
        {
            return;
        }

        using RankedLock.Scope held = _queueLock.Enter();
        WakeLocked(ref _pending, start, length);
        WakeLocked(ref _read, start, length);
    }

    /// <summary>Raises the counter that makes fills answer EAGAIN. The caller has changed nothing yet.</summary>
    public void BeginChange()
    {
        using RankedSharedLock.WriteScope held = MapChanging.EnterWrite();
        Seam.Touch(this, TouchKind.Write);
        Interlocked.Increment(ref _mapChanging);
    }

    /// <summary>Lowers the counter again: done by the thread that raised it, after it woke.</summary>
    public void EndChange()
    {
        Seam.Touch(this, TouchKind.Write);
        Interlocked.Decrement(ref _mapChanging);
    }

    /// <summary>Queues an event and sleeps until it is read, the context is released, or the address space is killed. Ends the change.</summary>
    public void Tell(PendingEvent happening)
    {
        bool isQueued;
        using (RankedLock.Scope held = _queueLock.Enter())
        {
            isQueued = !_isReleased && !Mm.IsKilled;
            if (isQueued)
            {
                _events.Enqueue(happening);
            }
            else
            {
                happening.IsOver = true;
            }
        }

        if (isQueued)
        {
            NotifyReaders();
        }

        WaitFor(happening);
        EndChange();
        happening.Parker.Dispose();
    }

    /// <summary>Takes the next message: faults before events.</summary>
    /// <returns>Whether there was one.</returns>
    public bool TryTake(out UserfaultfdMessage message, out UserfaultfdContext? forked)
    {
        forked = null;
        using RankedLock.Scope held = _queueLock.Enter();
        if (_pending.First is { } waiter)
        {
            _pending.Remove(waiter);
            waiter.IsRead = true;
            _read.Append(waiter);
            message = new UserfaultfdMessage
            {
                Event = UserfaultfdEvent.PageFault,
                Flags = waiter.Flags,
                Address = new VirtualAddress(waiter.Address),
                ThreadId = (Features & UserfaultfdFeatures.ThreadId) != 0 ? waiter.ThreadId : 0,
            };
            return true;
        }

        if (!_events.TryDequeue(out PendingEvent? happening))
        {
            message = default;
            return false;
        }

        message = new UserfaultfdMessage
        {
            Event = happening.Kind,
            Address = new VirtualAddress(happening.From),
            Range = new AddressRange(new VirtualAddress(happening.Start), happening.Length),
        };
        forked = happening.Forked;
        happening.IsRead = true;
        EndLocked(happening);
        return true;
    }

    /// <summary>Notes who sleeps in a blocking read, unless there is a message already.</summary>
    public bool TryAddReader(Parker reader)
    {
        using RankedLock.Scope held = _queueLock.Enter();
        if (_pending.Count != 0 || _events.Count != 0)
        {
            return false;
        }

        _readers.Add(reader);
        return true;
    }

    public void RemoveReader(Parker reader)
    {
        using RankedLock.Scope held = _queueLock.Enter();
        _readers.Remove(reader);
    }

    /// <summary>Wakes every thread in a blocking read: the handle is being closed.</summary>
    public void WakeReaders()
    {
        using RankedLock.Scope held = _queueLock.Enter();
        foreach (Parker reader in _readers)
        {
            reader.Unpark();
        }
    }

    /// <summary>Adds a poller; it looks for messages itself afterwards.</summary>
    public void AddPoller(IReadiness poller)
    {
        using RankedLock.Scope held = _queueLock.Enter();
        Seam.Touch(this, TouchKind.Write, place: 2);
        Volatile.Write(ref _pollers, [.. _pollers, poller]);
    }

    public void RemovePoller(IReadiness poller)
    {
        using RankedLock.Scope held = _queueLock.Enter();
        Seam.Touch(this, TouchKind.Write, place: 2);
        Volatile.Write(ref _pollers, Array.FindAll(_pollers, other => other != poller));
    }

    /// <summary>From here on nobody is queued: the context is being closed. Comes before the registrations go.</summary>
    public void MarkReleased()
    {
        using RankedLock.Scope held = _queueLock.Enter();
        _isReleased = true;
    }

    public override void OnKilled() => WakeAll();

    /// <summary>Wakes everybody: faults go round again, calls that wait for events go on (Linux: the end of <c>userfaultfd_release</c>).</summary>
    public void WakeAll()
    {
        using RankedLock.Scope held = _queueLock.Enter();
        WakeLocked(ref _pending, 0, ulong.MaxValue);
        WakeLocked(ref _read, 0, ulong.MaxValue);
        while (_events.TryDequeue(out PendingEvent? happening))
        {
            EndLocked(happening);
        }
    }

    /// <summary>What does not add up here: sleepers that nobody can wake, events nobody waits for, a counter that was left raised.</summary>
    /// <param name="waiters">The faults that are queued.</param>
    public IReadOnlyList<string> FindViolations(out int waiters)
    {
        List<string> violations = [];
        using RankedLock.Scope held = _queueLock.Enter();
        waiters = _waiters;
        int found = CountLocked(in held, _pending, isRead: false, violations) + CountLocked(in held, _read, isRead: true, violations);
        if (found != _waiters || found != _pending.Count + _read.Count)
        {
            violations.Add($"A userfaultfd has {found} faults queued, and counts {_waiters} ({_pending.Count} unread, {_read.Count} read).");
        }

        if ((_isReleased || Mm.IsKilled) && found + _events.Count != 0)
        {
            violations.Add($"{found} faults and {_events.Count} events wait for a userfaultfd that is closed, or in an address space that is gone.");
        }

        if (Volatile.Read(ref _mapChanging) != _events.Count)
        {
            violations.Add($"A userfaultfd has {_events.Count} events unread, and counts {_mapChanging} changes under way.");
        }

        return violations;
    }

    private int CountLocked(in RankedLock.Scope held, FaultQueue queue, bool isRead, List<string> violations)
    {
        Debug.Assert(held.IsHeld);
        int count = 0;
        for (FaultWaiter? waiter = queue.First; waiter is not null; waiter = waiter.Next, count++)
        {
            if (waiter.Context != this || waiter.IsRead != isRead)
            {
                violations.Add($"The fault at {waiter.Address:x} is queued with a userfaultfd, and does not know of it.");
            }
        }

        return count;
    }

    private static int AsleepIn(FaultQueue queue)
    {
        int count = 0;
        for (FaultWaiter? waiter = queue.First; waiter is not null; waiter = waiter.Next)
        {
            count += waiter.IsAsleep ? 1 : 0;
        }

        return count;
    }

    private static void EndLocked(PendingEvent happening)
    {
        happening.IsOver = true;
        happening.Parker.Unpark();
    }

    private void WakeLocked(ref FaultQueue queue, ulong start, ulong length)
    {
        FaultWaiter? waiter = queue.First;
        while (waiter is not null)
        {
            FaultWaiter? next = waiter.Next;
            if (waiter.Address - start < length)
            {
                queue.Remove(waiter);
                SetWaiters(_waiters - 1);
                waiter.Context = null;

                // Under the lock: a thread that looks for itself and is not queued may come back with another fault at once.
                waiter.Unpark();
            }

            waiter = next;
        }
    }

    private void RemoveLocked(FaultWaiter waiter)
    {
        if (waiter.Context is null)
        {
            return;
        }

        if (waiter.IsRead)
        {
            _read.Remove(waiter);
        }
        else
        {
            _pending.Remove(waiter);
        }

        SetWaiters(_waiters - 1);
        waiter.Context = null;
    }

    private void SetWaiters(int count)
    {
        Seam.Touch(this, TouchKind.Write, place: 3);
        Volatile.Write(ref _waiters, count);
    }

    private void WaitFor(PendingEvent happening)
    {
        while (true)
        {
            using (RankedLock.Scope held = _queueLock.Enter())
            {
                if (happening.IsOver)
                {
                    return;
                }
            }

            happening.Parker.Park();
        }
    }

    private void NotifyReaders()
    {
        using (RankedLock.Scope held = _queueLock.Enter())
        {
            foreach (Parker reader in _readers)
            {
                reader.Unpark();
            }
        }

        Seam.Touch(this, TouchKind.Read, place: 2);
        foreach (IReadiness poller in Volatile.Read(ref _pollers))
        {
            poller.Notify();
        }
    }
}
