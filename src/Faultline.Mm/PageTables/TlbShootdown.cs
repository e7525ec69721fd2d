using System;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// The translations that the accessors of one address space keep, and the way to take them back (Linux: <c>flush_tlb_mm_range</c> with its
/// inter-processor interrupt).
/// </summary>
/// <remarks>
/// An access is a few instructions in which its <see cref="SoftwareTlb"/> says that it is inside. A shoot-down posts what is to be dropped, makes that
/// visible to every running thread with a process-wide barrier (so accesses need none of their own), and waits for the accesses that were
/// already under way. Afterwards no access uses a translation, or looks at a table, that was taken away before.
/// </remarks>
internal sealed class TlbShootdown
{
    private readonly RankedLock _lock = new(LockRank.MmShootdown);

    /// <summary>Replaced, never changed. Guard for replacing: <see cref="_lock"/>.</summary>
    private SoftwareTlb[] _accessors = [];

    private int _isClosed;

    /// <summary>Whether there is no page table any more: every walk ends at once.</summary>
    public bool IsClosed => Volatile.Read(ref _isClosed) != 0;

    public void Add(SoftwareTlb tlb)
    {
        using RankedLock.Scope held = _lock.Enter();
        Volatile.Write(ref _accessors, [.. _accessors, tlb]);

        // A shoot-down that did not see this accessor has changed its entries before; the accessor's first walk comes after.
        Interlocked.MemoryBarrier();
    }

    public void Remove(SoftwareTlb tlb)
    {
        using RankedLock.Scope held = _lock.Enter();
        Volatile.Write(ref _accessors, Array.FindAll(_accessors, other => other != tlb));
    }

    /// <summary>Ends all walks for ever: the page table goes.</summary>
    public void Close()
    {
        Volatile.Write(ref _isClosed, 1);
        Flush();
    }

    /// <summary>Takes back every translation. Entries are changed before; frames and tables are freed after.</summary>
    public void Flush() => FlushGroups(ulong.MaxValue);

    /// <summary>Takes back the translations of a range.</summary>
    public void Flush(ulong start, ulong length) => FlushGroups(SoftwareTlb.GroupsOf(start, length));

    private void FlushGroups(ulong groups)
    {
        // Entries that were changed before must not be seen as they were by an accessor that is being added.
        Interlocked.MemoryBarrier();
        SoftwareTlb[] accessors = Volatile.Read(ref _accessors);
        if (accessors.Length == 0)
        {
            return;
        }

        foreach (SoftwareTlb tlb in accessors)
        {
            tlb.Post(groups);
        }

        // Threads of a schedule run one at a time, and see everything.
        if (!Seam.IsScheduled)
        {
            Interlocked.MemoryBarrierProcessWide();
        }

        foreach (SoftwareTlb tlb in accessors)
        {
            tlb.WaitOut(groups);
        }
    }
}
