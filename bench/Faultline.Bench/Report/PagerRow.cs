using System;

namespace Faultline.Bench;

/// <summary>The pager's rounds on one kind of memory.</summary>
/// <param name="Ratio">The pager's median divided by that of the C loop of COPY; null without a C row.</param>
/// <param name="Pager">The rounds, for each page.</param>
/// <param name="FaultsPerRound">The faults the pager answered in one round.</param>
/// <param name="AllocatedBytesPerFault">The managed bytes of the whole process, for each fault.</param>
public sealed record PagerRow(double? Ratio, Timing Pager, double FaultsPerRound, double AllocatedBytesPerFault)
{
    /// <summary>Compares the pager with the C loop.</summary>
    internal static PagerRow Of(Measured pager, Timing? c) =>
        new(Comparison.Of(pager.Timing, c).Ratio, pager.Timing, Math.Round(pager.Faults, 1), pager.AllocatedBytesPerFault);
}
