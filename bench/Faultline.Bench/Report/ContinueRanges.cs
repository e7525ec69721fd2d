using System.Collections.Generic;

namespace Faultline.Bench;

/// <summary>Ranges of cached neighbours, beside the kernel's own fault-around on the same memfd.</summary>
/// <param name="Kernel">The memfd mapped without a userfaultfd and touched in order, for each page.</param>
/// <param name="Ranges">One row for each length.</param>
public sealed record ContinueRanges(Timing Kernel, IReadOnlyList<ContinueRange> Ranges);
