namespace Faultline.Mm;

/// <summary>What <c>/proc/pid/smaps</c> tells of a mapping (Linux: <c>smap_gather_stats</c>). Under the mmap lock.</summary>
internal static class SmapsEntry
{
    public static VmaInfo Of(Vma vma)
    {
        var info = new VmaInfo
        {
            Range = vma.Range,
            Protection = ProtectionOf(vma),
            IsShared = vma.IsShared,
            FileOffset = vma.File is null ? 0 : vma.PageOffset << PageSize.SmallShift,
            RegisteredModes = ModesOf(vma),
            IsLocked = vma.Has(VmaFlags.Locked),
        };
        if (vma.IsHugetlb)
        {
            return HugetlbView.Smaps(vma, info);
        }

        PageTable tables = vma.Mm.Table;
        for (ulong address = tables.SkipAbsent(vma.Start, vma.End); address < vma.End; address = tables.SkipAbsent(address + PageSize.Small, vma.End))
        {
            EntryPlace place = tables.FindEntry(address);
            info = With(info, vma.Mm.System.Memory, place, address);
        }

        return vma.File is ShmemFile { Cache.SwapCount: > 0 } file
            ? info with { Swap = info.Swap + (SwappedPages(vma, file) << PageSize.SmallShift) }
            : info;
    }

    /// <summary>
    /// How many of a file's pages are in swap (Linux: <c>shmem_partial_swap_usage</c>): all under the mapping, or where pages of its own may hide them, only
    /// those under empty entries.
    /// </summary>
    private static ulong SwappedPages(Vma vma, ShmemFile file)
    {
        bool mayHide = !vma.IsShared && vma.Has(VmaFlags.Write);
        ulong end = vma.PageOffset + (vma.Range.Length >> PageSize.SmallShift);
        ulong count = 0;
        ulong found;
        for (ulong index = vma.PageOffset; index < end && file.Cache.TryFindNext(index, out found, out CacheEntry entry) && found < end; index = found + 1)
        {
            count += entry.IsSwap && !(mayHide && HasEntry(vma, vma.Start + ((found - vma.PageOffset) << PageSize.SmallShift))) ? 1UL : 0;
        }

        return count;
    }

    private static bool HasEntry(Vma vma, ulong address)
    {
        EntryPlace place = vma.Mm.Table.FindEntry(address);
        return !place.IsNull && !place.Read().IsNone;
    }

    private static VmaInfo With(VmaInfo info, PhysicalMemory memory, EntryPlace place, ulong address)
    {
        const ulong Page = PageSize.Small;
        Pte entry = place.Read();
        bool isHuge = place.IsHuge;
        if (entry.IsSwapSlot)
        {
            return info with { Swap = info.Swap + Page };
        }

        if (!entry.IsPresent || entry.IsSpecial)
        {
            return info;
        }

        Folio folio = memory.FolioAt(entry.FrameNumber);
        int mappers = folio.MapCountOf(place.FrameOf(entry, address));
        bool isDirty = entry.IsDirty || folio.Has(FolioFlags.Dirty);
        info = info with
        {
            Resident = info.Resident + Page,
            ProportionalResident = info.ProportionalResident + (Page / (ulong)(mappers < 1 ? 1 : mappers)),
            Anonymous = folio.IsAnonymous ? info.Anonymous + Page : info.Anonymous,
            AnonymousHuge = isHuge && folio.IsAnonymous ? info.AnonymousHuge + Page : info.AnonymousHuge,
            ShmemHuge = isHuge && !folio.IsAnonymous ? info.ShmemHuge + Page : info.ShmemHuge,
        };
        return (mappers > 1, isDirty) switch
        {
            (true, true) => info with { SharedDirty = info.SharedDirty + Page },
            (true, false) => info with { SharedClean = info.SharedClean + Page },
            (false, true) => info with { PrivateDirty = info.PrivateDirty + Page },
            (false, false) => info with { PrivateClean = info.PrivateClean + Page },
        };
    }

    private static Protections ProtectionOf(Vma vma) =>
        (vma.Has(VmaFlags.Read) ? Protections.Read : 0)
        | (vma.Has(VmaFlags.Write) ? Protections.Write : 0)
        | (vma.Has(VmaFlags.Execute) ? Protections.Execute : 0);

    private static RegisterModes ModesOf(Vma vma) =>
        (vma.Has(VmaFlags.UserfaultfdMissing) ? RegisterModes.Missing : 0)
        | (vma.Has(VmaFlags.UserfaultfdWriteProtect) ? RegisterModes.WriteProtect : 0)
        | (vma.Has(VmaFlags.UserfaultfdMinor) ? RegisterModes.Minor : 0);
}
