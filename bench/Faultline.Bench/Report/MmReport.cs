using System.Collections.Generic;
using System.Linq;

namespace Faultline.Bench;

/// <summary>What <c>faultline bench mm</c> measured; docs/benchmarks.md explains each field.</summary>
public sealed record MmReport
{
    /// <summary>Which benchmark this is.</summary>
    public string Benchmark { get; } = "mm";

    /// <summary>The machine.</summary>
    public required MachineFacts Machine { get; init; }

    /// <summary>Where the threads ran; rows of one thread run on the CPU of "one CPU".</summary>
    public required Placements Placements { get; init; }

    /// <summary>The rounds of each row, warm-up not counted.</summary>
    public required int Rounds { get; init; }

    /// <summary>What was not measured, and why.</summary>
    public required IReadOnlyList<MissingRow> Missing { get; init; }

    /// <summary>One CONTINUE for many pages, for each page.</summary>
    public required TargetedRatio BulkContinue { get; init; }

    /// <summary>A CONTINUE for each page.</summary>
    public required TargetedRatio SingleContinue { get; init; }

    /// <summary>COPY of 256 pages at a time, for each page.</summary>
    public required TargetedRatio BulkCopy { get; init; }

    /// <summary>Fault, read, CONTINUE, resumed.</summary>
    public required MmRoundTrip MinorRoundTrip { get; init; }

    /// <summary>The first store to a page of anonymous memory.</summary>
    public required TargetedRatio FirstTouch { get; init; }

    /// <summary>A resident load of 8 bytes beside a load from an array.</summary>
    public required TargetedRatio Load { get; init; }

    /// <summary>Bulk reads of resident memory beside memcpy.</summary>
    public required ReadBandwidth Read { get; init; }

    /// <summary>The faults a second of two threads in areas of their own, divided by those of one; null where there is one CPU.</summary>
    public double? Scaling => ScalingRows?.Managed.Ratio;

    /// <summary>What <see cref="Scaling"/> is made of.</summary>
    public required MmScaling? ScalingRows { get; init; }

    /// <summary>munmap, fork and truncate against resident pages.</summary>
    public required LinearCalls Linear { get; init; }

    /// <summary>Whether every target that was measured is met.</summary>
    public bool TargetsMet =>
        new[] { BulkContinue.Met, SingleContinue.Met, BulkCopy.Met, MinorRoundTrip.Met, FirstTouch.Met, Load.Met, Read.Met, ScalingRows?.Met, Linear.Met }
            .All(met => met != false);
}
