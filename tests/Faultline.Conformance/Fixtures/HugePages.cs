using System;

namespace Faultline.Conformance;

/// <summary>Areas of transparent huge pages.</summary>
public static class HugePages
{
    /// <summary>The 4 KiB pages of a huge page.</summary>
    public const int SmallPages = (int)(PageSize.Huge / PageSize.Small);

    /// <summary>Private memory that may have huge pages; untouched.</summary>
    public static MappedArea Advised(Testbed bed, int hugePages = 1)
    {
        MappedArea area = bed.MapAnonymous(hugePages * SmallPages);
        Expect.Ok(bed.Space.Advise(area.Range, Advice.HugePage));
        return area;
    }

    /// <summary>One huge page, in which each page of 4 KiB begins with its own number; or the case is skipped.</summary>
    public static MappedArea Numbered(Testbed bed)
    {
        MappedArea area = Advised(bed);
        WriteNumbers(bed, area);
        SkipUnlessHuge(bed, area);
        return area;
    }

    /// <summary>
    /// MADV_COLLAPSE, again as long as the answer is EAGAIN: then pages are in somebody's hands for a moment (compaction, a batch for the LRU lists), and
    /// madvise(2) says to try again.
    /// </summary>
    public static SystemResult Collapse(Testbed bed, AddressRange range)
    {
        SystemResult result = default;
        Testbed.Until($"MADV_COLLAPSE of {range} answers something but EAGAIN", () => (result = bed.Space.Advise(range, Advice.Collapse)).Errno != Errno.EAGAIN);
        return result;
    }

    /// <summary>
    /// Writes its own number to the beginning of each page, and something to its end: Linux may give pages of zeroes back when it splits.
    /// </summary>
    public static void WriteNumbers(Testbed bed, MappedArea area)
    {
        byte[] bytes = new byte[area.Range.Length];
        for (int page = 0; page < area.PageTotal; page++)
        {
            Span<byte> small = bytes.AsSpan(page * (int)PageSize.Small, (int)PageSize.Small);
            BitConverter.TryWriteBytes(small, (ulong)page);
            small[^1] = 1;
        }

        bed.WriteBytes(area.At(0), bytes);
    }

    /// <summary>Skips the case if an area that was written to is not of huge pages.</summary>
    public static void SkipUnlessHuge(Testbed bed, MappedArea area) =>
        Testbed.SkipIf(bed.Vma(area.Range).AnonymousHuge == area.Range.Length
            ? null
            : "The engine gave no transparent huge page (see /sys/kernel/mm/transparent_hugepage/enabled).");
}
