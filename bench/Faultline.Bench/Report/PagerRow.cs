using System;

namespace Faultline.Bench;

/// <summary>The pager's rounds on one kind of memory.</summary>
/// <param name="Ratio">The pager's median divided by that of the C loop of COPY; null without a C row.</param>
/// <param name="Pager">The rounds, for each page.</param>
/// <param name="FaultsPerRound">The faults the pager answered in one round.</param>
/// <param name="AllocatedBytesPerFault">The managed bytes of the whole process, for each fault of the second half of a round.</param>
/// <param name="Floor">
/// The same reads and installs in the longest pieces, without faults and without a pager: what the kernel takes. Null where pages come one by one.
/// </param>
public sealed record PagerRow(double? Ratio, Timing Pager, double FaultsPerRound, double AllocatedBytesPerFault, Timing? Floor)
{
    /// <summary>Compares the pager with the C loop.</summary>
    internal static PagerRow Of(Measured pager, Timing? c, Timing? floor = null) =>
        new(Comparison.Of(pager.Timing, c).Ratio, pager.Timing, Math.Round(pager.Faults, 1), pager.AllocatedBytesPerFault, floor);
}
