namespace Faultline.Mm;

/// <summary>
/// The part of <see cref="Invariants"/> that looks at the pool of huge pages and at the files made of them. Address spaces have been looked at
/// before.
/// </summary>
internal static unsafe class HugetlbInvariants
{
    public static void CheckPool(MmSystem system, Invariants check)
    {
        long reserved = check.HugetlbReserved;
        system.Owners.ForEach<HugetlbFile>(file => reserved += CheckFile(file, check));
        HugePageCounts counts = system.Hugetlb.Counts;
        int inUse = 0;
        for (uint number = 0; number < system.Memory.PopulatedFrames; number += 1U << PhysicalMemory.HugeOrder)
        {
            Frame* frame = system.Memory.FrameAt(number);
            inUse += (frame->Flags & (int)FolioFlags.Hugetlb) != 0 && frame->RefCount > 0 ? 1 : 0;
            if ((frame->Flags & (int)FolioFlags.Hugetlb) != 0 && (frame->Flags & (int)FolioFlags.RestoreReserve) != 0)
            {
                check.Report($"The huge page {new Folio(frame)} is marked as on its way back, and nobody is under way.");
            }
        }

        if (counts.Free + inUse != counts.Total)
        {
            check.Report($"The pool has {counts.Total} huge pages; {counts.Free} are free and {inUse} in use.");
        }

        if (counts.Reserved != reserved)
        {
            check.Report($"Files and mappings have {reserved} huge pages reserved, and the pool says {counts.Reserved}.");
        }

        if (counts.Reserved > counts.Free)
        {
            check.Report($"{counts.Reserved} huge pages are reserved, and only {counts.Free} are free.");
        }
    }

    /// <returns>The pages that are reserved for the file and not there.</returns>
    private static long CheckFile(HugetlbFile file, Invariants check)
    {
        long pages = 0;
        ulong index = 0;
        while (file.Cache.TryFindNext(index, out ulong found, out CacheEntry entry))
        {
            pages++;
            index = found + 1;
            Folio folio = file.System.Memory.FolioAt(entry.FrameNumber);
            check.FoundInCache(folio);
            if (folio.Record->Owner != file.OwnerHandle || folio.Index != found << HugetlbFile.SmallPagesShift || !folio.Has(FolioFlags.Hugetlb))
            {
                check.Report($"Huge page {found} of {file} is {folio}, which says it is at {folio.Index} of owner {folio.Record->Owner:x}.");
            }

            if (!file.Reservation.Has(found))
            {
                check.Report($"Huge page {found} of {file} is there, and its reservation knows nothing of it.");
            }
        }

        return file.Reservation.Count - pages;
    }
}
