using System;

namespace Faultline.Mm;

/// <summary>When reclaim begins by itself and when it has done enough, in pages charged (Linux: <c>low_wmark_pages</c>, <c>high_wmark_pages</c>).</summary>
/// <param name="WakesAbove">More than so many pages charged: few are left, reclaim wakes.</param>
/// <param name="StopsAt">So many pages charged: enough are free again.</param>
internal readonly record struct Watermarks(long WakesAbove, long StopsAt)
{
    /// <summary>Low is a sixty-fourth of the limit left, high twice that; at least some pages each.</summary>
    public static Watermarks Of(long limitPages)
    {
        long low = Math.Max(8, limitPages / 64);
        return new(limitPages - low, limitPages - (2 * low));
    }
}
