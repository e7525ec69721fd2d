using System;
using System.Collections.Generic;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>Waits for many contexts at once (Linux: epoll, level-triggered).</summary>
internal sealed class UserfaultfdPoller : IUserfaultfdPoller, IReadiness
{
    private readonly RankedLock _lock = new(LockRank.MmPoller);

    /// <summary>Replaced, never changed. Guard for replacing: <see cref="_lock"/>.</summary>
    private Entry[] _entries = [];

    /// <summary>Threads that wait. Guard: <see cref="_lock"/>.</summary>
    private readonly List<Parker> _waiters = [];

    private int _wakes;
    private int _isStopped;

    public SystemResult Add(IUserfaultfd context, long tag)
    {
        UserfaultfdContext added = ContextOf(context);
        if (!added.IsNonBlocking)
        {
            return new(Errno.EINVAL);
        }

        using (RankedLock.Scope held = _lock.Enter())
        {
            if (Array.Exists(_entries, entry => entry.Context == added))
            {
                return new(Errno.EEXIST);
            }

            Seam.Touch(this, TouchKind.Write, place: 2);
            Volatile.Write(ref _entries, [.. _entries, new Entry(added, tag)]);
        }

        added.AddPoller(this);
        Notify();
        return SystemResult.Ok;
    }

    public SystemResult Remove(IUserfaultfd context)
    {
        UserfaultfdContext removed = ContextOf(context);
        using (RankedLock.Scope held = _lock.Enter())
        {
            if (!Array.Exists(_entries, entry => entry.Context == removed))
            {
                return new(Errno.ENOENT);
            }

            Seam.Touch(this, TouchKind.Write, place: 2);
            Volatile.Write(ref _entries, Array.FindAll(_entries, entry => entry.Context != removed));
        }

        removed.RemovePoller(this);
        return SystemResult.Ok;
    }

    public SystemResult<int> Wait(Span<long> ready, int timeoutMs)
    {
        Parker parker = PerThread.Get<UserfaultfdPoller, Parker>();
        long start = Seam.TickCount64;
        while (true)
        {
            AddWaiter(parker);
            int count = Look(ready, out bool isOver);
            bool isInTime = true;
            if (count == 0 && !isOver && timeoutMs != 0)
            {
                int left = timeoutMs < 0 ? Timeout.Infinite : (int)Math.Max(0, timeoutMs - (Seam.TickCount64 - start));
                isInTime = left != 0 && parker.Park(left);
            }

            RemoveWaiter(parker);
            Seam.Touch(this, TouchKind.Read);
            if (Volatile.Read(ref _isStopped) != 0)
            {
                return new(0, Errno.ECANCELED);
            }

            if (count != 0 || isOver || timeoutMs == 0 || !isInTime)
            {
                return new(count, Errno.None);
            }
        }
    }

    public void Wake()
    {
        Seam.Touch(this, TouchKind.Write, place: 1);
        Interlocked.Increment(ref _wakes);
        Notify();
    }

    public void Stop()
    {
        Seam.Touch(this, TouchKind.Write);
        Volatile.Write(ref _isStopped, 1);
        Notify();
    }

    public void Notify()
    {
        using RankedLock.Scope held = _lock.Enter();
        foreach (Parker waiter in _waiters)
        {
            waiter.Unpark();
        }
    }

    public void Dispose()
    {
        Stop();
        foreach (Entry entry in Volatile.Read(ref _entries))
        {
            entry.Context.RemovePoller(this);
        }
    }

    private static UserfaultfdContext ContextOf(IUserfaultfd context) =>
        context is UserfaultfdHandle handle
            ? handle.Context
            : throw new ArgumentException("The poller of the managed engine waits for contexts of the managed engine only.", nameof(context));

    /// <summary>Finds who has messages, or takes a wake.</summary>
    private int Look(Span<long> ready, out bool isOver)
    {
        Seam.Touch(this, TouchKind.Read);
        isOver = Volatile.Read(ref _isStopped) != 0;
        int count = 0;
        Seam.Touch(this, TouchKind.Read, place: 2);
        foreach (Entry entry in Volatile.Read(ref _entries))
        {
            if (count < ready.Length && entry.Context.HasMessages)
            {
                ready[count++] = entry.Tag;
            }
        }

        Seam.Touch(this, TouchKind.Write, place: 1);
        if (count == 0 && Volatile.Read(ref _wakes) > 0 && Interlocked.Exchange(ref _wakes, 0) > 0)
        {
            isOver = true;
        }

        return count;
    }

    private void AddWaiter(Parker parker)
    {
        using RankedLock.Scope held = _lock.Enter();
        _waiters.Add(parker);
    }

    private void RemoveWaiter(Parker parker)
    {
        using RankedLock.Scope held = _lock.Enter();
        _waiters.Remove(parker);
    }

    private sealed record Entry(UserfaultfdContext Context, long Tag);
}
