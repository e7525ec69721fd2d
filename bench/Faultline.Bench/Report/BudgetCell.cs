using System;

namespace Faultline.Bench;

/// <summary>One cell of the budget matrix: a walk under the pager, and the same walk over plain mmap.</summary>
/// <param name="Pattern">sequential, random or zipf.</param>
/// <param name="Access">read, or readModifyWrite.</param>
/// <param name="Threads">The threads that walk.</param>
/// <param name="PageBytes">What the pager loads, installs, evicts and writes back at a time.</param>
/// <param name="WindowBytes">Up to how many bytes that grows while faults come in order.</param>
/// <param name="PagerPerSecond">Accesses a second under the pager.</param>
/// <param name="MmapPerSecond">Accesses a second over plain mmap, or null if there is no memory control group, or it failed.</param>
/// <param name="ResidentMaxBytes">The most bytes of the image in memory, seen about every millisecond.</param>
/// <param name="MmapMaxBytes">The most bytes charged to the control group, or null.</param>
/// <param name="MmapFailure">Why mmap did not do it, or null.</param>
/// <param name="Faults">The faults the pager resolved.</param>
/// <param name="PagesEvicted">The pages it evicted.</param>
/// <param name="PagesWrittenBack">The pages it gave back to the file.</param>
public sealed record BudgetCell(
    string Pattern,
    string Access,
    int Threads,
    int PageBytes,
    int WindowBytes,
    double PagerPerSecond,
    double? MmapPerSecond,
    long ResidentMaxBytes,
    long? MmapMaxBytes,
    string? MmapFailure,
    long Faults,
    long PagesEvicted,
    long PagesWrittenBack)
{
    /// <summary>The pager's accesses a second ÷ those of mmap: more than 1 is better than mmap.</summary>
    public double? Ratio => MmapPerSecond is { } mmap ? Math.Round(PagerPerSecond / mmap, 3) : null;
}
