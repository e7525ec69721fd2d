using System;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Taking entries away (Linux: <c>zap_page_range</c> and below it <c>zap_pte_range</c>).</summary>
/// <remarks>Under the mmap lock for reading, or the lock of the file's mappings: either keeps the tables.</remarks>
internal static unsafe class Zap
{
    /// <summary>Zaps what a mapping has in a range.</summary>
    public static void Range(Vma vma, ulong start, ulong end, ZapOptions options)
    {
        var gather = TlbGather.Begin(vma.Mm, start, end);
        Range(gather, vma, start, end, options);
        gather.End();
    }

    /// <summary>Zaps the pages of a file, by index, in every mapping (Linux: <c>unmap_mapping_range</c>).</summary>
    /// <param name="file">The file.</param>
    /// <param name="first">The first index.</param>
    /// <param name="end">The index after the last.</param>
    /// <param name="options"><see cref="ZapOptions.PrivateCopies"/> for truncation.</param>
    public static void FileRange(IMappable file, ulong first, ulong end, ZapOptions options)
    {
        using RankedLock.Scope held = file.Mappings.Enter();
        foreach (Vma vma in file.Mappings.ListLocked(in held))
        {
            ulong vmaEnd = vma.IndexOf(vma.End);
            if (vma.PageOffset < end && first < vmaEnd)
            {
                Range(vma, vma.AddressOf(Math.Max(first, vma.PageOffset)), vma.AddressOf(Math.Min(end, vmaEnd)), options);
            }
        }
    }

    /// <summary>As the other overload, gathering what goes.</summary>
    public static void Range(TlbGather gather, Vma vma, ulong start, ulong end, ZapOptions options)
    {
        if (vma.IsHugetlb)
        {
            HugetlbZap.Range(gather, vma, start, end, options);
            return;
        }

        PageTable tables = vma.Mm.Table;
        ulong address = start;
        while ((address = tables.SkipAbsent(address, end)) < end)
        {
            ulong tableEnd = Math.Min(end, (address & ~(PageSize.Huge - 1)) + PageSize.Huge);
            PteTable table = tables.Find(address);
            if (table.IsNull)
            {
                if (HugeZap.TryRange(gather, vma, address, tableEnd))
                {
                    address = tableEnd;
                }

                continue;
            }

            using (RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table))
            {
                address = TableRangeLocked(gather, vma, table, address, tableEnd, options, in held);
            }

            if (gather.IsFull)
            {
                gather.Flush();
            }
        }
    }

    /// <returns>The address to go on at: short of the end if the gather is full.</returns>
    private static ulong TableRangeLocked(
        TlbGather gather, Vma vma, PteTable table, ulong address, ulong end, ZapOptions options, in RankedLock.Scope held)
    {
        _ = held;
        var counts = default(ZapCounts);
        for (; address < end && !gather.IsFull; address += PageSize.Small)
        {
            ulong* entry = table.EntryFor(address);
            var pte = Pte.Read(entry);
            if (pte.IsNone)
            {
                continue;
            }

            if (pte.IsPresent)
            {
                Present(gather, vma, entry, pte, options, ref counts);
            }
            else
            {
                NotPresent(vma, entry, pte, options, ref counts);
            }
        }

        counts.ApplyTo(vma.Mm.Counters);
        return address;
    }

    private static void Present(TlbGather gather, Vma vma, ulong* entry, Pte pte, ZapOptions options, ref ZapCounts counts)
    {
        PhysicalMemory memory = vma.Mm.System.Memory;
        if (pte.IsSpecial)
        {
            if ((options & ZapOptions.KeepZeroPages) != 0)
            {
                return;
            }

            // Otherwise the zero page goes whatever is asked for: nobody has written to it.
            pte = Pte.Take(entry);
            LeaveMarker(vma, entry, pte, options);
            gather.Touch();
            return;
        }

        Folio folio = memory.FolioAt(pte.FrameNumber);
        if (KeepsFileOnly(options) && folio.IsAnonymous)
        {
            return;
        }

        pte = Pte.Take(entry);
        LeaveMarker(vma, entry, pte, options);
        if (!folio.IsAnonymous)
        {
            Rmap.KeepStateOf(pte, folio);
        }

        counts.Add(MmCounters.KindOf(folio));
        Rmap.Remove(memory.FrameAt(pte.FrameNumber));

        // By its folio, which is whose reference the entry has: a split before the shoot-down must not make it another's.
        gather.Add(folio.Number);
    }

    private static void NotPresent(Vma vma, ulong* entry, Pte pte, ZapOptions options, ref ZapCounts counts)
    {
        bool dropsMarkers = (options & ZapOptions.DropMarkers) != 0;
        if (pte.IsMarker)
        {
            PteMarker marker = pte.Marker;
            bool keeps = !dropsMarkers && (
                (marker & PteMarker.Guard) != 0
                || ((marker & PteMarker.Poison) != 0 ? KeepsFileOnly(options) : !vma.IsAnonymous));
            if (!keeps)
            {
                // Poison may be protected besides.
                Pte.Write(entry, Pte.None);
                LeaveMarker(vma, entry, pte, options);
            }

            return;
        }

        // Swap entries in page tables are private pages.
        if (KeepsFileOnly(options))
        {
            return;
        }

        Pte.Write(entry, Pte.None);
        LeaveMarker(vma, entry, pte, options);
        counts.Add(CounterKind.Swap);
        SwapIo.RemoveReference(vma.Mm.System, SwapSlot.Of(pte));
    }

    /// <summary>Write-protection of file memory outlives its pages (Linux: <c>zap_install_uffd_wp_if_needed</c>).</summary>
    public static void LeaveMarker(Vma vma, ulong* entry, Pte pte, ZapOptions options)
    {
        if (!vma.IsAnonymous && (options & ZapOptions.DropMarkers) == 0 && vma.Has(VmaFlags.UserfaultfdWriteProtect) && pte.IsWriteProtected)
        {
            Pte.Write(entry, Pte.ForMarker(PteMarker.WriteProtect));
        }
    }

    private static bool KeepsFileOnly(ZapOptions options) => (options & (ZapOptions.PrivateCopies | ZapOptions.DropMarkers)) == 0;
}
