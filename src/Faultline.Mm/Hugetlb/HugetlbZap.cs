using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Taking entries of hugetlb mappings away (Linux: <c>__unmap_hugepage_range</c>). The range is made of whole huge pages.</summary>
internal static unsafe class HugetlbZap
{
    /// <remarks>
    /// Private copies go in every case, and poison too; write-protection is left behind as a marker unless the mapping itself goes.
    /// </remarks>
    public static void Range(TlbGather gather, Vma vma, ulong start, ulong end, ZapOptions options)
    {
        PageTable tables = vma.Mm.Table;
        for (ulong address = tables.SkipAbsent(start, end); address < end; address = tables.SkipAbsent(address + PageSize.Huge, end))
        {
            PteTable table = tables.FindMiddle(address);
            using (RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table))
            {
                EntryLocked(gather, vma, address, table.MiddleEntryFor(address), options);
            }

            if (gather.IsFull)
            {
                gather.Flush();
            }
        }
    }

    /// <summary>Takes one page from a mapping, if it is that page, and has it remember.</summary>
    public static void TakeFolio(Vma vma, ulong address, Folio folio)
    {
        PteTable table = vma.Mm.Table.FindMiddle(address);
        if (table.IsNull)
        {
            return;
        }

        var gather = TlbGather.Begin(vma.Mm);
        using (RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table))
        {
            ulong* slot = table.MiddleEntryFor(address);
            var entry = Pte.Read(slot);
            if (entry.IsPresent && entry.FrameNumber == folio.Number)
            {
                vma.HasLostPages = true;
                EntryLocked(gather, vma, address, slot, ZapOptions.PrivateCopies);
            }
        }

        gather.End();
    }

    private static void EntryLocked(TlbGather gather, Vma vma, ulong address, ulong* slot, ZapOptions options)
    {
        var entry = Pte.Read(slot);
        if (entry.IsNone)
        {
            return;
        }

        entry = Pte.Take(slot);
        if (entry.IsWriteProtected && (options & ZapOptions.DropMarkers) == 0)
        {
            Pte.Write(slot, Pte.ForMarker(PteMarker.WriteProtect));
        }

        if (!entry.IsPresent)
        {
            return;
        }

        Folio folio = vma.Mm.System.Memory.FolioAt(entry.FrameNumber);
        if (entry.IsDirty)
        {
            folio.Set(FolioFlags.Dirty);
        }

        int left = HugetlbEntry.RemoveMapping(folio);
        if (left == 0 && folio.IsAnonymous && vma.HugetlbReservation is { } reservation)
        {
            vma.Mm.System.Hugetlb.RestoreOnReturn(reservation, HugetlbFile.IndexOf(vma, address), folio);
        }

        gather.Add(entry.FrameNumber);
    }
}
