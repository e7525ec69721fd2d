using System;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Changing entries in place: rights, and userfaultfd write-protection (Linux: <c>change_protection</c>, <c>uffd_wp_range</c>).</summary>
/// <remarks>Under the mmap lock: for writing when the rights change, else for reading.</remarks>
internal static unsafe class ChangeProtection
{
    /// <returns>ENOMEM if a table for markers could not be had; entries before it are changed.</returns>
    public static Errno Range(Vma vma, ulong start, ulong end, ProtectionChange change)
    {
        if (vma.IsHugetlb)
        {
            return HugetlbProtect.Range(vma, start, end, change);
        }

        bool makesMarkers = change == ProtectionChange.WriteProtect && UsesMarkers(vma);
        PageTable tables = vma.Mm.Table;
        var gather = TlbGather.Begin(vma.Mm, start, end);
        Errno errno = Errno.None;
        ulong address = start;
        while (address < end)
        {
            if (!makesMarkers)
            {
                address = tables.SkipAbsent(address, end);
                if (address >= end)
                {
                    break;
                }
            }

            ulong tableEnd = Math.Min(end, (address & ~(PageSize.Huge - 1)) + PageSize.Huge);
            if (tables.HasHugeEntry(address))
            {
                if (HugeProtection.TryRange(gather, vma, address, tableEnd, change))
                {
                    address = tableEnd;
                }

                continue;
            }

            PteTable table = makesMarkers ? tables.Ensure(address) : tables.Find(address);
            if (table.IsNull && makesMarkers)
            {
                errno = Errno.ENOMEM;
                break;
            }

            if (!table.IsNull)
            {
                using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table);
                TableRangeLocked(gather, vma, table, address, tableEnd, change, makesMarkers);
            }

            address = tableEnd;
        }

        gather.End();
        return errno;
    }

    /// <summary>Whether protecting what is absent leaves a marker: always for files, for anonymous memory if asked for.</summary>
    private static bool UsesMarkers(Vma vma) =>
        !vma.IsAnonymous || (vma.Userfaultfd is { } binding && binding.MarksUnpopulated);

    private static void TableRangeLocked(
        TlbGather gather, Vma vma, PteTable table, ulong address, ulong end, ProtectionChange change, bool makesMarkers)
    {
        for (; address < end; address += PageSize.Small)
        {
            ulong* entry = table.EntryFor(address);
            var pte = Pte.Read(entry);
            if (pte.IsNone)
            {
                if (makesMarkers)
                {
                    Pte.Write(entry, Pte.ForMarker(PteMarker.WriteProtect));
                }
            }
            else if (pte.IsPresent)
            {
                Present(gather, vma, entry, change);
            }
            else if (change != ProtectionChange.Rights)
            {
                NotPresent(entry, pte, change);
            }
        }
    }

    private static void Present(TlbGather gather, Vma vma, ulong* entry, ProtectionChange change)
    {
        // Taken first: an access that sets the dirty bit either did so before, or finds nothing and faults.
        var old = Pte.Take(entry);
        Pte changed = Changed(vma, old, change);
        Pte.Write(entry, changed);
        TouchIfLess(gather, old, changed);
    }

    /// <summary>What becomes of a present entry, of either size.</summary>
    public static Pte Changed(Vma vma, Pte old, ProtectionChange change)
    {
        Pte changed = old.WithRights(vma.PageRights);
        if (change == ProtectionChange.WriteProtect)
        {
            changed = changed.WithWriteProtection();
        }
        else if (change == ProtectionChange.WriteUnprotect)
        {
            changed = changed.WithoutWriteProtection();
        }

        if (changed.IsWriteProtected)
        {
            changed = changed.Without(Pte.Writable);
        }
        else if (change != ProtectionChange.WriteProtect && !changed.IsWritable && MayBeWritable(vma, changed))
        {
            changed = changed.With(Pte.Writable);
        }

        return changed;
    }

    /// <summary>Accesses must notice a right that is gone; one that has come they find when they fault.</summary>
    public static void TouchIfLess(TlbGather gather, Pte old, Pte changed)
    {
        const ulong Allowing = Pte.Present | Pte.Writable;
        if ((old.Value & Allowing & ~changed.Value) != 0)
        {
            gather.Touch();
        }
    }

    /// <summary>Whether a write would need nothing but the bit (Linux: <c>can_change_pte_writable</c>).</summary>
    private static bool MayBeWritable(Vma vma, Pte pte)
    {
        if (!vma.Has(VmaFlags.Write) || pte.IsSpecial)
        {
            return false;
        }

        if (vma.IsShared)
        {
            // Linux means to, and does not: vma_wants_writenotify finds the rights of a watched mapping changed already.
            return vma.IsHugetlb && pte.IsDirty;
        }

        Folio folio = vma.Mm.System.Memory.FolioAt(pte.FrameNumber);
        return folio.IsAnonymous && folio.Has(FolioFlags.Exclusive);
    }

    private static void NotPresent(ulong* entry, Pte pte, ProtectionChange change)
    {
        if ((pte.Marker & (PteMarker.Poison | PteMarker.Guard)) != 0)
        {
            // Every access ends there anyway (Linux: change_pte_range).
            return;
        }

        if (change == ProtectionChange.WriteProtect)
        {
            if (!pte.IsWriteProtected)
            {
                Pte.Write(entry, pte.WithWriteProtection());
            }
        }
        else if (pte.Marker == PteMarker.WriteProtect)
        {
            Pte.Write(entry, Pte.None);
        }
        else
        {
            Pte.Write(entry, pte.WithoutWriteProtection());
        }
    }
}
