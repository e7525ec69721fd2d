using System.Collections.Generic;
using Faultline.Cli.Restore;
using Faultline.Cli.Telemetry;

namespace Faultline.Cli.Processes;

/// <summary>What the pager has done so far; the last one, after the run, is complete.</summary>
internal sealed record PagerReport
{
    public required bool IsLast { get; init; }

    public required long MinorFaults { get; init; }

    public required long MissingFaults { get; init; }

    public required long StoreBytes { get; init; }

    public required long StoreReads { get; init; }

    public required long PagesGuessed { get; init; }

    public required long PagesGuessedUsed { get; init; }

    public required long LoadsAvoided { get; init; }

    /// <summary>Userfaults by clone.</summary>
    public required long[] CloneMinorFaults { get; init; }

    public required long[] CloneMissingFaults { get; init; }

    /// <summary>Pages the pager installed, by clone.</summary>
    public required long[] CloneInstalledPages { get; init; }

    public required long LatencyCount { get; init; }

    public required double P50Us { get; init; }

    public required double P99Us { get; init; }

    public required double MaxUs { get; init; }

    /// <summary>Only in the last one.</summary>
    public IReadOnlyList<LatencyBucket>? Latencies { get; init; }

    /// <summary>PSS of the image in the pager's own address space; only in the last one.</summary>
    public long ImagePssBytes { get; init; }

    public long ProcessPssBytes { get; init; }

    /// <summary>What the meter says; null if nobody asked.</summary>
    public IReadOnlyList<MetricReading>? Metrics { get; init; }

    /// <summary>Null, or one sentence: metrics and traces could not all be sent. Only in the last one.</summary>
    public string? NotSent { get; init; }

    /// <summary>Only in the last one, and only if working sets were asked for.</summary>
    public WorkingSetReport? WorkingSet { get; init; }

    /// <summary>Null, or one sentence: the cached image is not what the file was. Only in the last one.</summary>
    public string? Mismatch { get; init; }
}
