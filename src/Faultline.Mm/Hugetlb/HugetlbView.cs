namespace Faultline.Mm;

/// <summary>
/// What pagemap, smaps and PAGEMAP_SCAN show of hugetlb mappings (Linux: <c>pagemap_hugetlb_range</c>, <c>smaps_hugetlb_range</c>).
/// </summary>
internal static class HugetlbView
{
    /// <summary>smaps: under names of its own, and not resident.</summary>
    public static VmaInfo Smaps(Vma vma, VmaInfo info)
    {
        PageTable tables = vma.Mm.Table;
        for (ulong address = tables.SkipAbsent(vma.Start, vma.End); address < vma.End; address = tables.SkipAbsent(address + PageSize.Huge, vma.End))
        {
            Pte entry = tables.FindEntry(address).Read();
            if (!entry.IsPresent)
            {
                continue;
            }

            info = HugetlbEntry.MappingsOf(vma.Mm.System.Memory.FolioAt(entry.FrameNumber)) > 1
                ? info with { SharedHugetlb = info.SharedHugetlb + PageSize.Huge }
                : info with { PrivateHugetlb = info.PrivateHugetlb + PageSize.Huge };
        }

        return info;
    }

    /// <summary>PAGEMAP_SCAN: absent pages are not "written", unlike small ones.</summary>
    public static PageCategories CategoriesAt(Vma vma, ulong address)
    {
        EntryPlace place = vma.Mm.Table.FindEntry(address);
        Pte entry = place.Read();
        if (entry.IsNone)
        {
            return vma.Mm.Table.FindMiddle(address).IsNull ? PageCategories.None : PageCategories.Huge;
        }

        PageCategories categories = entry.IsWriteProtected ? PageCategories.Huge : PageCategories.Huge | PageCategories.Written;
        if (!entry.IsPresent)
        {
            return categories | PageCategories.Swapped;
        }

        bool isAnonymous = vma.Mm.System.Memory.FolioAt(entry.FrameNumber).IsAnonymous;
        return categories | (isAnonymous ? PageCategories.Present : PageCategories.Present | PageCategories.File);
    }
}
