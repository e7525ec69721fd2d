using System;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>MADV_GUARD_INSTALL and MADV_GUARD_REMOVE (Linux: <c>madvise_guard_install</c>): markers that end every access.</summary>
internal static unsafe class GuardRegion
{
    public static Errno Run(MmState mm, ulong start, ulong end, Advice advice)
    {
        using RankedSharedLock.ReadScope held = mm.Lock.EnterRead();
        MappedParts parts = new(start, end);
        while (parts.HasMore)
        {
            if (parts.Next(mm) is not { } vma)
            {
                return Errno.ENOMEM;
            }

            if (vma.IsHugetlb || (advice == Advice.GuardInstall && vma.Has(VmaFlags.Locked)))
            {
                return Errno.EINVAL;
            }

            Errno errno = advice == Advice.GuardInstall ? Install(vma, parts.Start, parts.End) : Remove(vma, parts.Start, parts.End);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return parts.Holes;
    }

    private static Errno Install(Vma vma, ulong start, ulong end)
    {
        // A fork must copy the markers, and knows by this that there is something to copy.
        vma.MayHaveGuards = true;
        if (vma.IsAnonymous)
        {
            AnonVmaChain.Prepare(vma);
        }

        for (ulong address = start; address < end;)
        {
            if (vma.Mm.Table.HasHugeEntry(address))
            {
                ulong hugeEnd = Math.Min(end, HugeRange.StartOf(address) + PageSize.Huge);
                Zap.Range(vma, address, hugeEnd, ZapOptions.PrivateCopies | ZapOptions.DropMarkers);
            }

            PteTable table = vma.Mm.Table.Ensure(address);
            if (table.IsNull)
            {
                return Errno.ENOMEM;
            }

            if (IsOccupied(vma, table, address))
            {
                Zap.Range(vma, address, address + PageSize.Small, ZapOptions.PrivateCopies | ZapOptions.DropMarkers);
            }

            if (TryInstall(vma, table, address))
            {
                address += PageSize.Small;
            }
        }

        return Errno.None;
    }

    private static bool IsOccupied(Vma vma, PteTable table, ulong address)
    {
        using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table);
        var entry = Pte.Read(table.EntryFor(address));
        return !entry.IsNone && (entry.Marker & PteMarker.Guard) == 0;
    }

    private static bool TryInstall(Vma vma, PteTable table, ulong address)
    {
        using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table);
        ulong* entry = table.EntryFor(address);
        var pte = Pte.Read(entry);
        if (pte.IsNone)
        {
            Pte.Write(entry, Pte.ForMarker(PteMarker.Guard));
            return true;
        }

        return (pte.Marker & PteMarker.Guard) != 0;
    }

    private static Errno Remove(Vma vma, ulong start, ulong end)
    {
        for (ulong address = vma.Mm.Table.SkipAbsent(start, end); address < end; address = vma.Mm.Table.SkipAbsent(address + PageSize.Small, end))
        {
            PteTable table = vma.Mm.Table.Find(address);
            if (table.IsNull)
            {
                continue;
            }

            using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table);
            ulong* entry = table.EntryFor(address);
            if ((Pte.Read(entry).Marker & PteMarker.Guard) != 0)
            {
                Pte.Write(entry, Pte.None);
            }
        }

        return Errno.None;
    }
}
