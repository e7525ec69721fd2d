using System;

namespace Faultline.Bench;

/// <summary>The whole pager beside the bare C handler's loop of UFFDIO_COPY, both threads on one CPU.</summary>
/// <param name="Target">What the ratio may be at most.</param>
/// <param name="Pager">The pager's rounds, for each page.</param>
/// <param name="C">The C rounds, for each page, or null.</param>
/// <param name="FaultsPerRound">The faults the pager answered in one round.</param>
/// <param name="PagesPerRound">The pages touched in one round.</param>
public sealed record PagerComparison(double Target, Timing Pager, Timing? C, double FaultsPerRound, int PagesPerRound)
{
    /// <summary>The pager's median divided by the C median; null without a C row.</summary>
    public double? Ratio => C is null ? null : Math.Round(Pager.MedianNs / C.MedianNs, 3);

    /// <summary>Whether <see cref="Ratio"/> is within <see cref="Target"/>; null without C rows.</summary>
    public bool? Met => Ratio is double ratio ? ratio <= Target : null;
}
