using System;

namespace Faultline.Bench;

/// <summary>The pager beside the bare C handler's loop of COPY, both threads on one CPU.</summary>
/// <param name="Ratio">The pager's median divided by that of C; null without a C row.</param>
/// <param name="Target">What the ratio may be at most.</param>
/// <param name="Pager">The pager's rounds, for each page.</param>
/// <param name="C">The C rounds, for each page, or null.</param>
public sealed record PagingRow(double? Ratio, double Target, Timing Pager, Timing? C)
{
    /// <summary>Whether the ratio is within the target; null where there is none.</summary>
    public bool? Met => Ratio is double ratio ? ratio <= Target : null;

    internal static PagingRow Of(double target, Measured pager, Measured? c) =>
        new(c is null ? null : Math.Round(pager.Timing.MedianNs / c.Timing.MedianNs, 3), target, pager.Timing, c?.Timing);
}
