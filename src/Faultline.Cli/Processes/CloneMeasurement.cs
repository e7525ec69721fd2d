using Faultline.Cli.Restore;

namespace Faultline.Cli.Processes;

/// <summary>What a clone did and holds, taken when all clones were done and still there.</summary>
internal sealed record CloneMeasurement
{
    public required long Touched { get; init; }

    public required long Written { get; init; }

    public required long Resident { get; init; }

    public required long KernelFaults { get; init; }

    /// <summary>Bytes and reads of the image that the clone made itself (eager).</summary>
    public required long OwnStoreBytes { get; init; }

    public required long OwnStoreReads { get; init; }

    public required long RssBytes { get; init; }

    public required long PssBytes { get; init; }

    public required long ProcessRssBytes { get; init; }

    public required long ProcessPssBytes { get; init; }

    /// <summary>Null, or one sentence: the first page that was not what it should be.</summary>
    public string? Mismatch { get; init; }

    /// <summary>Pages of the replayed working set that were touched.</summary>
    public long GuessedAndUsed { get; init; }

    public long GuessedAndUnused { get; init; }

    public PageMap? Map { get; init; }
}
