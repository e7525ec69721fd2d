using System;
using System.Collections.Generic;
using System.Linq;

namespace Faultline.Bench;

/// <summary>What the rounds of one row took.</summary>
/// <param name="MedianNs">The median, in nanoseconds for each page.</param>
/// <param name="MinNs">The fastest round.</param>
/// <param name="MaxNs">The slowest round.</param>
/// <param name="Spread">The slowest minus the fastest, divided by the median: how much the machine was disturbed.</param>
/// <param name="Rounds">The number of rounds.</param>
public sealed record Timing(double MedianNs, double MinNs, double MaxNs, double Spread, int Rounds)
{
    /// <summary>Summarises rounds.</summary>
    internal static Timing Of(IReadOnlyList<double> nsPerPage)
    {
        double median = Median(nsPerPage);
        double min = nsPerPage.Min();
        double max = nsPerPage.Max();

        // A load takes less than a nanosecond: there the digits after the first matter.
        int digits = median < 10 ? 3 : 1;
        return new Timing(
            Math.Round(median, digits), Math.Round(min, digits), Math.Round(max, digits), Math.Round((max - min) / median, 3), nsPerPage.Count);
    }

    private static double Median(IReadOnlyList<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
