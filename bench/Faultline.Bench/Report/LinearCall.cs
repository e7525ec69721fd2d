using System;
using System.Collections.Generic;
using System.Linq;

namespace Faultline.Bench;

/// <summary>Whether the time of a call grows as the resident pages do.</summary>
/// <param name="Rows">A quarter, half and all of 1 GiB resident.</param>
public sealed record LinearCall(IReadOnlyList<LinearRow> Rows)
{
    /// <summary>The time for each page with all resident, divided by that with a quarter: 1 is linear.</summary>
    public double Ratio => Math.Round(Rows[^1].PerPage.MedianNs / Rows[0].PerPage.MedianNs, 3);

    /// <summary>What <see cref="Ratio"/> may be at most.</summary>
    public double Target { get; } = 1.25;

    /// <summary>Whether it is.</summary>
    public bool Met => Ratio <= Target;

    internal static LinearCall Of(IReadOnlyList<int> residentPages, IEnumerable<Measured> measured) =>
        new([.. residentPages.Zip(measured, static (pages, row) => new LinearRow(pages, row.Timing))]);
}
