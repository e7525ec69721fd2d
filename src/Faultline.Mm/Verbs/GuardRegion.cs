using System;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>MADV_GUARD_INSTALL and MADV_GUARD_REMOVE (Linux: <c>madvise_guard_install</c>): markers that end every access.</summary>
internal static unsafe class GuardRegion
{
    public static Errno Run(MmState mm, ulong start, ulong end, Advice advice)
    {
        using RankedSharedLock.ReadScope held = mm.Lock.EnterRead();
        ulong at = start;
        Errno holes = Errno.None;
        while (at < end)
        {
            Vma? vma = mm.Vmas.FindFrom(at);
            if (vma is null || vma.Start >= end)
            {
                return Errno.ENOMEM;
            }

            if (vma.Start > at)
            {
                holes = Errno.ENOMEM;
                at = vma.Start;
            }

            if (vma.IsHugetlb || (advice == Advice.GuardInstall && vma.Has(VmaFlags.Locked)))
            {
                return Errno.EINVAL;
            }

            ulong partEnd = Math.Min(end, vma.End);
            Errno errno = advice == Advice.GuardInstall ? Install(vma, at, partEnd) : Remove(vma, at, partEnd);
            if (errno != Errno.None)
            {
                return errno;
            }

            at = partEnd;
        }

        return holes;
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
