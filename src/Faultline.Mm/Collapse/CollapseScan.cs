namespace Faultline.Mm;

/// <summary>Looking whether the entries of 2 MiB of private memory can become one (Linux: <c>hpage_collapse_scan_pmd</c>).</summary>
internal static unsafe class CollapseScan
{
    /// <summary>Whether a mapping may have huge pages made of its pages, at all (Linux: <c>thp_vma_allowable_order</c>).</summary>
    public static bool Allows(Vma vma)
    {
        if (vma.IsHugetlb || vma.Has(VmaFlags.NoHugePage) || vma.Length < PageSize.Huge)
        {
            return false;
        }

        // Room for one at the end is room for one: files may be out of step with addresses everywhere.
        return vma.IsAnonymous
            ? vma.AnonVma is not null && HugeRange.Fits(vma, vma.End - PageSize.Huge)
            : vma.File is ShmemFile && HugeRange.Fits(vma, vma.End - PageSize.Huge);
    }

    /// <summary>The mapping that has the whole of an aligned range, if it allows huge pages there (Linux: <c>hugepage_vma_revalidate</c>).</summary>
    public static Vma? FindMapping(MmState mm, ulong start) =>
        mm.Vmas.Find(start) is { } vma && Allows(vma) && HugeRange.Fits(vma, start) ? vma : null;

    /// <summary>Checks the entries. Under the mmap lock.</summary>
    /// <param name="vma">The mapping.</param>
    /// <param name="start">The aligned start.</param>
    /// <param name="limits">What is allowed.</param>
    /// <param name="swapped">The entries that are swapped out: they have to be brought back first.</param>
    public static CollapseResult Check(Vma vma, ulong start, in CollapseLimits limits, out int swapped)
    {
        swapped = 0;
        PteTable table = vma.Mm.Table.Find(start);
        if (table.IsNull)
        {
            return vma.Mm.Table.HasHugeEntry(start) ? CollapseResult.AlreadyHuge
                : vma.Mm.Table.FindMiddle(start).IsNull ? CollapseResult.NoMiddleTable
                : CollapseResult.NoTable;
        }

        int absent = 0;
        int shared = 0;
        int used = 0;
        for (int i = 0; i < PteTable.Length; i++)
        {
            var entry = Pte.Read(table.Entries + i);
            CollapseResult result = Check(vma, entry, in limits, ref absent, ref swapped, ref shared, ref used);
            if (result != CollapseResult.Done)
            {
                return result;
            }
        }

        bool isUsed = used > 0 && (swapped == 0 || used >= PteTable.Length / 2);
        return limits.MustBeUsed && !isUsed ? CollapseResult.NotUsed : CollapseResult.Done;
    }

    private static CollapseResult Check(
        Vma vma, Pte entry, in CollapseLimits limits, ref int absent, ref int swapped, ref int shared, ref int used)
    {
        if (entry.IsNone || (entry.IsPresent && entry.IsSpecial))
        {
            // Who is armed would have been asked about a page that is absent: it must not come to be.
            return !vma.IsArmed && ++absent <= limits.Absent ? CollapseResult.Done : CollapseResult.TooManyAbsent;
        }

        if (entry.IsWriteProtected)
        {
            return CollapseResult.WriteProtected;
        }

        if (!entry.IsPresent)
        {
            // Markers too: who brings them back finds out.
            return ++swapped <= limits.Swapped ? CollapseResult.Done : CollapseResult.TooManySwapped;
        }

        Folio folio = vma.Mm.System.Memory.FolioAt(entry.FrameNumber);
        if (folio.MapCount > 1 && ++shared > limits.Shared)
        {
            return CollapseResult.TooManyShared;
        }

        used += entry.IsAccessed || folio.Has(FolioFlags.Referenced) ? 1 : 0;
        return CollapseResult.Done;
    }
}
