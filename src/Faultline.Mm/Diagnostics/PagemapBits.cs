namespace Faultline.Mm;

/// <summary>An entry as <c>/proc/pid/pagemap</c> shows it (Linux: <c>pte_to_pagemap_entry</c>). Under the mmap lock.</summary>
internal static class PagemapBits
{
    private const ulong Present = 1UL << 63;
    private const ulong Swap = 1UL << 62;
    private const ulong File = 1UL << 61;
    private const ulong Guard = 1UL << 58;
    private const ulong WriteProtected = 1UL << 57;
    private const ulong Exclusive = 1UL << 56;
    private const int SwapTypeBits = 5;

    public static PagemapEntry Of(MmState mm, ulong address)
    {
        if (address >= PageTable.UserEnd || mm.Vmas.Find(address) is not { } vma)
        {
            return default;
        }

        EntryPlace place = mm.Table.FindEntry(address);
        Pte entry = place.Read();

        // What is not there is told of hugetlb by the protection alone.
        return vma.IsHugetlb && !entry.IsPresent
            ? new PagemapEntry(entry.IsWriteProtected ? WriteProtected : 0)
            : Of(mm.System.Memory, place, entry, address);
    }

    private static PagemapEntry Of(PhysicalMemory memory, EntryPlace place, Pte entry, ulong address)
    {
        if (entry.IsNone)
        {
            return default;
        }

        ulong value = entry.IsWriteProtected ? WriteProtected : 0;
        if (!entry.IsPresent)
        {
            value |= Swap | entry.SwapType | (entry.SwapOffset << SwapTypeBits);
            return new PagemapEntry((entry.Marker & PteMarker.Guard) != 0 ? value | Guard : value);
        }

        value |= Present | place.FrameOf(entry, address);
        if (entry.IsSpecial)
        {
            // The huge zero page passes for a page of a file, the small one for none at all.
            return new PagemapEntry(place.IsHuge ? value | File : value);
        }

        Folio folio = memory.FolioAt(entry.FrameNumber);
        if (!folio.IsAnonymous)
        {
            value |= File;
        }

        // Of what is mapped huge the first page speaks for all (Linux: pagemap_pmd_range).
        uint frame = place.IsHuge ? entry.FrameNumber : place.FrameOf(entry, address);
        int mappings = folio.Has(FolioFlags.Hugetlb) ? HugetlbEntry.MappingsOf(folio) : folio.MapCountOf(frame);
        return new PagemapEntry(mappings == 1 ? value | Exclusive : value);
    }
}
