namespace Faultline.Mm;

/// <summary>Cutting mappings so that a range is made of whole ones. Under the mmap lock for writing.</summary>
internal static class VmaRange
{
    /// <summary>Cuts off what of a mapping lies outside of a range.</summary>
    /// <returns>EINVAL (the cut would go through a hugetlb page), ENOMEM (the limit).</returns>
    public static Errno Isolate(ref Vma vma, ulong start, ulong end)
    {
        if (vma.Start < start)
        {
            Errno errno = Cut(vma, start, out Vma? upper);
            if (upper is null)
            {
                return errno;
            }

            vma = upper;
        }

        return vma.End <= end ? Errno.None : Cut(vma, end, out _);
    }

    /// <summary>Cuts a mapping in two (Linux: <c>__split_vma</c>).</summary>
    /// <returns>As <see cref="Isolate"/>.</returns>
    public static Errno Cut(Vma vma, ulong at, out Vma? upper)
    {
        upper = null;
        if (vma.IsHugetlb && (at & (PageSize.Huge - 1)) != 0)
        {
            return Errno.EINVAL;
        }

        upper = VmaMerge.Split(vma, at);
        return upper is null ? Errno.ENOMEM : Errno.None;
    }
}
