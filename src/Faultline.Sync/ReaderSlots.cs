using System;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Sync;

/// <summary>
/// Read locks on objects that have no lock in them: each reader says in a slot of its own which object it reads, and a writer waits until no slot
/// names it (Linux: <c>vma_start_read</c> and <c>vma_start_write</c>; hazard pointers). Readers never wait, and never meet.
/// </summary>
/// <param name="rank">The place of such an object in the lock order.</param>
/// <remarks>
/// Reader and writer agree as in Dekker's algorithm. A reader holds the object first and then looks whether it may; a writer marks the object first, in
/// whatever way the reader looks at, and waits then. One writer at a time.
/// </remarks>
public sealed class ReaderSlots(LockRank rank)
{
    private const int LooksBeforeSleep = 100;

    /// <summary>Guard for replacing <see cref="_slots"/>.</summary>
    private readonly Lock _changing = new();

    /// <summary>Where a writer sleeps.</summary>
    private readonly object _drained = new();

    /// <summary>Replaced, never changed.</summary>
    private ReaderSlot[] _slots = [];

    /// <summary>Whether the writer sleeps. Guard: <see cref="_drained"/>.</summary>
    private int _isWriterAsleep;

    /// <summary>The place in the lock order of the objects that are read.</summary>
    public LockRank Rank { get; } = rank;

    /// <summary>Makes a slot for a reader.</summary>
    public ReaderSlot Add()
    {
        var slot = new ReaderSlot();
        lock (_changing)
        {
            Volatile.Write(ref _slots, [.. _slots, slot]);
        }

        return slot;
    }

    /// <summary>Takes a slot back; its reader holds nothing and will not come again.</summary>
    public void Remove(ReaderSlot slot)
    {
        lock (_changing)
        {
            Volatile.Write(ref _slots, Array.FindAll(_slots, other => other != slot));
        }
    }

    /// <summary>Holds an object. The caller looks afterwards whether a writer has marked it, and lets go at once if so.</summary>
    /// <param name="slot">The reader's slot, holding nothing.</param>
    /// <param name="what">The object.</param>
    public void Hold(ReaderSlot slot, object what)
    {
        HeldRanks.Check(Rank);
        Seam.Touch(slot, TouchKind.Write);
        slot.Set(what);
        HeldRanks.Push(Rank);
    }

    /// <summary>Lets go of what the slot holds.</summary>
    public void LetGo(ReaderSlot slot)
    {
        Seam.Touch(slot, TouchKind.Write);
        slot.Set(null);
        HeldRanks.Pop(Rank);
        if (Volatile.Read(ref _isWriterAsleep) != 0)
        {
            lock (_drained)
            {
                Monitor.Pulse(_drained);
            }
        }
    }

    /// <summary>Waits until nobody holds an object. The caller has marked it, with a full barrier after that.</summary>
    public void WaitFor(object what) => WaitForEach(what);

    /// <summary>Waits until nobody holds any object.</summary>
    public void WaitForAll() => WaitForEach(what: null);

    private static bool Holds(ReaderSlot slot, object? what) => slot.Held is { } held && (what is null || held == what);

    // Apart, so that a writer allocates nothing where there is no schedule.
    private static void AwaitInSchedule(ReaderSlot slot, object? what) => Seam.TryAwait(slot, () => !Holds(slot, what));

    private void WaitForEach(object? what)
    {
        foreach (ReaderSlot slot in Volatile.Read(ref _slots))
        {
            if (Seam.IsScheduled)
            {
                AwaitInSchedule(slot, what);
            }
            else
            {
                WaitForOne(slot, what);
            }
        }
    }

    private void WaitForOne(ReaderSlot slot, object? what)
    {
        SpinWait spin = default;
        for (int looks = 0; looks < LooksBeforeSleep; looks++)
        {
            if (!Holds(slot, what))
            {
                return;
            }

            spin.SpinOnce(sleep1Threshold: -1);
        }

        lock (_drained)
        {
            Interlocked.Exchange(ref _isWriterAsleep, 1);
            while (Holds(slot, what))
            {
                Monitor.Wait(_drained);
            }

            Volatile.Write(ref _isWriterAsleep, 0);
        }
    }
}
