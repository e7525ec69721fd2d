using System.Collections.Generic;
using Faultline.Cli.Telemetry;

namespace Faultline.Cli.Json;

/// <summary>One run of all clones in one mode. Fields are described in docs/cli.md.</summary>
internal record RunDocument
{
    /// <summary><c>continue</c>, <c>copy</c>, <c>eager</c> or <c>mmap</c>.</summary>
    public required string Mode { get; init; }

    /// <summary>Whether all clones finished, every page they read matched the image, and the image is unchanged.</summary>
    public required bool Verified { get; init; }

    /// <summary>The number of clones.</summary>
    public required int Clones { get; init; }

    public required long ImageBytes { get; init; }

    /// <summary>PSS of the image mappings of all clones and of the pager.</summary>
    public required long TotalPssBytes { get; init; }

    /// <summary>RSS of the image mappings of all clones.</summary>
    public required long TotalRssBytes { get; init; }

    /// <summary>PSS of all processes of the run, runtimes included.</summary>
    public required long TotalProcessPssBytes { get; init; }

    public required long MinorFaults { get; init; }

    public required long MissingFaults { get; init; }

    /// <summary>Of the slowest clone.</summary>
    public required double TimeToFirstByteMs { get; init; }

    /// <summary>Of the slowest clone.</summary>
    public required double TimeToDoneMs { get; init; }

    /// <summary>Bytes read from the image file: by the pager, or by the clones that read it themselves.</summary>
    public required long StoreBytes { get; init; }

    /// <summary>Reads of the image file; 0 where the kernel reads it.</summary>
    public required long StoreReads { get; init; }

    /// <summary>Null where no pager runs.</summary>
    public LatencyDocument? Latency { get; init; }

    /// <summary>Null unless <c>--record</c> or <c>--replay</c> was given; of the main run only.</summary>
    public WorkingSetDocument? WorkingSet { get; init; }

    /// <summary>Null unless <c>--metrics</c> was given; of the main run only.</summary>
    public IReadOnlyList<MetricReading>? Metrics { get; init; }

    /// <summary>Null unless <c>--snapshot</c> was given; of the main run only.</summary>
    public SnapshotDocument? Snapshot { get; init; }

    /// <summary>Null where no pager runs.</summary>
    public PrefetchDocument? Prefetch { get; init; }

    public required IReadOnlyList<CloneDocument> PerClone { get; init; }

    /// <summary>One sentence for each thing that went wrong.</summary>
    public required IReadOnlyList<string> Failures { get; init; }
}
