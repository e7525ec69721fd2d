using System;
using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Copying the entries of a mapping to the child of a fork, for copy-on-write (Linux: <c>copy_page_range</c>).</summary>
/// <remarks>Under the mmap lock of the parent for writing; nobody knows the child yet.</remarks>
internal static unsafe class CopyPageRange
{
    /// <returns>ENOMEM if a table could not be had.</returns>
    public static Errno Copy(Vma child, Vma parent)
    {
        if (!IsNeeded(child, parent))
        {
            return Errno.None;
        }

        if (parent.IsHugetlb)
        {
            return HugetlbFork.Copy(child, parent);
        }

        PageTable source = parent.Mm.Table;
        var gather = TlbGather.Begin(parent.Mm);
        Errno errno = Errno.None;
        ulong address = parent.Start;
        while ((address = source.SkipAbsent(address, parent.End)) < parent.End)
        {
            ulong tableEnd = Math.Min(parent.End, (address & ~(PageSize.Huge - 1)) + PageSize.Huge);
            if (parent.IsAnonymous)
            {
                // Parent and child share pages of 4 KiB only. What is of a file, the child faults in.
                HugeEntry.Split(parent, address);
            }

            PteTable sourceTable = source.Find(address);
            if (!sourceTable.IsNull)
            {
                PteTable targetTable = child.Mm.Table.Ensure(address);
                if (targetTable.IsNull)
                {
                    errno = Errno.ENOMEM;
                    break;
                }

                parent.Mm.System.TableLocks.EnterPair(sourceTable, targetTable, out RankedLock.Scope first, out RankedLock.Scope second);
                CopyTableLocked(gather, child, parent, sourceTable, targetTable, address, tableEnd);
                second.Dispose();
                first.Dispose();
            }

            address = tableEnd;
        }

        gather.End();
        return errno;
    }

    /// <summary>What can be faulted in again from the file is not copied (Linux: <c>vma_needs_copy</c>).</summary>
    private static bool IsNeeded(Vma child, Vma parent) =>
        child.Has(VmaFlags.UserfaultfdWriteProtect) || parent.MayHaveGuards || parent.AnonVma is not null;

    private static void CopyTableLocked(
        TlbGather gather, Vma child, Vma parent, PteTable source, PteTable target, ulong address, ulong end)
    {
        for (; address < end; address += PageSize.Small)
        {
            ulong* from = source.EntryFor(address);
            var pte = Pte.Read(from);
            if (pte.IsNone)
            {
                continue;
            }

            Pte copy = pte.IsPresent ? CopyPresent(gather, child, parent, from, pte)
                : pte.IsMarker ? CopyMarker(child, pte)
                : CopySwap(child, from, pte);
            if (!copy.IsNone)
            {
                Pte.Write(target.EntryFor(address), copy);
            }
        }
    }

    private static Pte CopyPresent(TlbGather gather, Vma child, Vma parent, ulong* from, Pte pte)
    {
        MmSystem system = parent.Mm.System;
        if (!pte.IsSpecial)
        {
            Folio folio = system.Memory.FolioAt(pte.FrameNumber);
            folio.Get();
            Interlocked.Increment(ref system.Memory.FrameAt(pte.FrameNumber)->MapCount);
            folio.Clear(FolioFlags.Exclusive);
            child.Mm.Counters.Add(MmCounters.KindOf(folio), 1);
        }

        if (!parent.IsShared && pte.IsWritable)
        {
            pte = Pte.Change(from, set: 0, clear: Pte.Writable).Without(Pte.Writable);
            gather.Touch();
        }

        if (parent.IsShared)
        {
            pte = pte.Without(Pte.Dirty);
        }

        pte = pte.Without(Pte.Accessed);
        return child.Has(VmaFlags.UserfaultfdWriteProtect) ? pte : pte.WithoutWriteProtection();
    }

    private static Pte CopyMarker(Vma child, Pte pte)
    {
        PteMarker marker = pte.Marker;
        if (!child.Has(VmaFlags.UserfaultfdWriteProtect))
        {
            marker &= ~PteMarker.WriteProtect;
        }

        return marker == PteMarker.None ? Pte.None : Pte.ForMarker(marker);
    }

    private static Pte CopySwap(Vma child, ulong* from, Pte pte)
    {
        child.Mm.System.Swap.AddReference(SwapSlot.Of(pte));
        child.Mm.Counters.Add(CounterKind.Swap, 1);
        pte = pte.Without(Pte.SwapExclusive);
        Pte.Write(from, pte);
        return child.Has(VmaFlags.UserfaultfdWriteProtect) ? pte : pte.WithoutWriteProtection();
    }
}
