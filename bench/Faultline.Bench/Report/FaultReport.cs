using System.Collections.Generic;
using System.Linq;

namespace Faultline.Bench;

/// <summary>What <c>faultline bench faults</c> measured; docs/benchmarks.md explains each field.</summary>
public sealed record FaultReport
{
    /// <summary>Which benchmark this is.</summary>
    public string Benchmark { get; } = "faults";

    /// <summary>The machine.</summary>
    public required MachineFacts Machine { get; init; }

    /// <summary>Where the threads ran.</summary>
    public required Placements Placements { get; init; }

    /// <summary>The rounds of each row, warm-up not counted.</summary>
    public required int Rounds { get; init; }

    /// <summary>What was not measured, and why.</summary>
    public required IReadOnlyList<MissingRow> Missing { get; init; }

    /// <summary>Fault, read, CONTINUE, resumed.</summary>
    public required RoundTrip MinorRoundTrip { get; init; }

    /// <summary>Fault, read, COPY, resumed.</summary>
    public required RoundTrip MissingCopyRoundTrip { get; init; }

    /// <summary>CONTINUE of ranges.</summary>
    public required ContinueRanges ContinueRanges { get; init; }

    /// <summary>The whole pager, one page at a time.</summary>
    public required PagerComparison PagerRoundTrip { get; init; }

    /// <summary>The whole pager with its defaults, while the pages are read in order.</summary>
    public required PagerComparison PagerSequential { get; init; }

    /// <summary>Managed bytes for each fault, by kind.</summary>
    public required Allocations Allocations { get; init; }

    /// <summary>The largest of <see cref="Allocations"/>.</summary>
    public double AllocatedBytesPerFault => Allocations.Largest;

    /// <summary>Whether every target that was measured is met.</summary>
    public bool TargetsMet =>
        new[] { MinorRoundTrip.Met, MissingCopyRoundTrip.Met, PagerRoundTrip.Met, PagerSequential.Met }.All(met => met != false)
        && AllocatedBytesPerFault == 0;
}
