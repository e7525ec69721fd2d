using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// Copying the entries of a hugetlb mapping to the child of a fork (Linux: <c>copy_hugetlb_page_range</c>). The child has no reservation.
/// </summary>
internal static unsafe class HugetlbFork
{
    /// <returns>ENOMEM if a table could not be had.</returns>
    public static Errno Copy(Vma child, Vma parent)
    {
        PageTable source = parent.Mm.Table;
        var gather = TlbGather.Begin(parent.Mm);
        Errno errno = Errno.None;
        ulong end = parent.End;
        for (ulong address = source.SkipAbsent(parent.Start, end); address < end; address = source.SkipAbsent(address + PageSize.Huge, end))
        {
            PteTable from = source.FindMiddle(address);
            PteTable to = child.Mm.Table.EnsureMiddle(address);
            if (to.IsNull)
            {
                errno = Errno.ENOMEM;
                break;
            }

            parent.Mm.System.TableLocks.EnterPair(from, to, out RankedLock.Scope first, out RankedLock.Scope second);
            Pte copy = CopyLocked(gather, child, parent, from.MiddleEntryFor(address));
            if (!copy.IsNone)
            {
                Pte.Write(to.MiddleEntryFor(address), copy);
            }

            second.Dispose();
            first.Dispose();
        }

        gather.End();
        return errno;
    }

    private static Pte CopyLocked(TlbGather gather, Vma child, Vma parent, ulong* from)
    {
        var entry = Pte.Read(from);
        bool keepsProtection = child.Has(VmaFlags.UserfaultfdWriteProtect);
        if (entry.IsMarker)
        {
            PteMarker marker = keepsProtection ? entry.Marker : entry.Marker & ~PteMarker.WriteProtect;
            return marker == PteMarker.None ? Pte.None : Pte.ForMarker(marker);
        }

        if (!entry.IsPresent)
        {
            return Pte.None;
        }

        Folio folio = parent.Mm.System.Memory.FolioAt(entry.FrameNumber);
        folio.Get();
        folio.Clear(FolioFlags.Exclusive);
        HugetlbEntry.AddMapping(folio);
        if (!parent.IsShared && entry.IsWritable)
        {
            entry = Pte.Change(from, set: 0, clear: Pte.Writable).Without(Pte.Writable);
            gather.Touch();
        }

        return keepsProtection ? entry : entry.WithoutWriteProtection();
    }
}
