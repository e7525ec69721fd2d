using System.Collections.Generic;
using Faultline.Cli.Json;

namespace Faultline.Cli.Restore;

/// <summary>One run: the numbers, and what only the report shows.</summary>
internal sealed record RunResult
{
    public required RestoreMode Mode { get; init; }

    public required RunDocument Document { get; init; }

    /// <summary>By clone; null for a clone that did not get that far.</summary>
    public required IReadOnlyList<PageMap?> PageMaps { get; init; }

    public required IReadOnlyList<MemorySample> Memory { get; init; }

    /// <summary>Null, or one sentence: metrics and traces could not all be sent.</summary>
    public string? NotSent { get; init; }

    public required IReadOnlyList<LatencyBucket> Latencies { get; init; }
}
