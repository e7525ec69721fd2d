using System;

namespace Faultline.Mm;

/// <summary>What khugepaged makes huge pages of, and when (Linux: <c>/sys/kernel/mm/transparent_hugepage/khugepaged</c>).</summary>
/// <remarks>
/// Private memory is taken by <see cref="ManagedEngineOptions.TransparentHugePages"/> and advice. Mappings that are armed are never made to lose a missing fault:
/// where one is armed, nothing absent is filled; where a page is write-protected, nothing is done.
/// </remarks>
public sealed record KhugepagedOptions
{
    /// <summary>How often it goes over all memory by itself; zero for never, then <see cref="ManagedEngine.ScanForHugePages"/> does.</summary>
    public TimeSpan Interval { get; init; }

    /// <summary>The most pages of a huge page that may be absent, and be filled with zeroes (Linux: <c>max_ptes_none</c>).</summary>
    public int MaxAbsentPages { get; init; } = 511;

    /// <summary>The most pages of a huge page that may be swapped out, and are brought back (Linux: <c>max_ptes_swap</c>).</summary>
    public int MaxSwappedPages { get; init; } = 64;

    /// <summary>The most pages of a huge page that other address spaces may have too (Linux: <c>max_ptes_shared</c>).</summary>
    public int MaxSharedPages { get; init; } = 256;

    /// <summary>Which files get huge pages (Linux: <c>shmem_enabled</c>): by default none.</summary>
    public TransparentHugePages Files { get; init; } = TransparentHugePages.Never;
}
