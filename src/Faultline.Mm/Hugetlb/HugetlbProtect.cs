using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Changing entries of hugetlb mappings in place (Linux: <c>hugetlb_change_protection</c>). The range is made of whole huge pages.</summary>
internal static unsafe class HugetlbProtect
{
    /// <returns>ENOMEM if a table for markers could not be had; entries before it are changed.</returns>
    public static Errno Range(Vma vma, ulong start, ulong end, ProtectionChange change)
    {
        PageTable tables = vma.Mm.Table;
        var gather = TlbGather.Begin(vma.Mm);
        Errno errno = Errno.None;
        for (ulong address = start; address < end; address += PageSize.Huge)
        {
            PteTable table;
            if (change == ProtectionChange.WriteProtect)
            {
                table = tables.EnsureMiddle(address);
                if (table.IsNull)
                {
                    errno = Errno.ENOMEM;
                    break;
                }
            }
            else
            {
                address = tables.SkipAbsent(address, end);
                if (address >= end)
                {
                    break;
                }

                table = tables.FindMiddle(address);
            }

            using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table);
            EntryLocked(gather, vma, table.MiddleEntryFor(address), change);
        }

        gather.End();
        return errno;
    }

    /// <summary>Changes one entry. Under the table's lock.</summary>
    public static void EntryLocked(TlbGather gather, Vma vma, ulong* slot, ProtectionChange change)
    {
        var entry = Pte.Read(slot);
        if (entry.IsNone)
        {
            if (change == ProtectionChange.WriteProtect)
            {
                Pte.Write(slot, Pte.ForMarker(PteMarker.WriteProtect));
            }
        }
        else if (entry.IsPresent)
        {
            PresentLocked(gather, vma, slot, change);
        }
        else if (change == ProtectionChange.WriteUnprotect && entry.IsWriteProtected)
        {
            Pte.Write(slot, Pte.None);
        }
    }

    private static void PresentLocked(TlbGather gather, Vma vma, ulong* slot, ProtectionChange change)
    {
        // Taken first: an access that sets the dirty bit either did so before, or finds nothing and faults.
        var old = Pte.Take(slot);
        Pte changed = old.WithRights(vma.PageRights);
        changed = change switch
        {
            ProtectionChange.WriteProtect => changed.WithWriteProtection(),
            ProtectionChange.WriteUnprotect => changed.WithoutWriteProtection(),
            _ => changed,
        };
        if (changed.IsWriteProtected)
        {
            changed = changed.Without(Pte.Writable);
        }

        // Nothing is made writable here that the rights alone do not: the next write takes its fault.
        Pte.Write(slot, changed);
        const ulong Allowing = Pte.Present | Pte.Writable;
        if ((old.Value & Allowing & ~changed.Value) != 0)
        {
            gather.Touch();
        }
    }
}
