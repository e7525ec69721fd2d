namespace Faultline.Mm;

/// <summary>Cutting mappings so that a range is made of whole ones. Under the mmap lock for writing.</summary>
internal static class VmaRange
{
    /// <summary>Cuts off what of a mapping lies outside of a range.</summary>
    /// <returns>Whether the limit allowed it.</returns>
    public static bool TryIsolate(ref Vma vma, ulong start, ulong end)
    {
        if (vma.Start < start)
        {
            Vma? upper = VmaMerge.Split(vma, start);
            if (upper is null)
            {
                return false;
            }

            vma = upper;
        }

        return vma.End <= end || VmaMerge.Split(vma, end) is not null;
    }
}
