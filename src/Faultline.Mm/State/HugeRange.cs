namespace Faultline.Mm;

/// <summary>The aligned 2 MiB around an address.</summary>
internal static class HugeRange
{
    public static ulong StartOf(ulong address) => address & ~(PageSize.Huge - 1);

    /// <summary>
    /// Whether a mapping has all of it, and, if it maps a file, the file is aligned with it (Linux: <c>thp_vma_suitable_order</c>).
    /// </summary>
    public static bool Fits(Vma vma, ulong address)
    {
        const ulong PagesWithin = (PageSize.Huge >> PageSize.SmallShift) - 1;
        ulong start = StartOf(address);
        return start >= vma.Start && start + PageSize.Huge <= vma.End && (vma.IsAnonymous || (vma.IndexOf(start) & PagesWithin) == 0);
    }
}
