namespace Faultline.Cli.Processes;

/// <summary>What the pager process is told first.</summary>
internal sealed record PagerJob
{
    public required string Image { get; init; }

    /// <summary>The folder of the run: sockets and checksums are in it.</summary>
    public required string RunFolder { get; init; }

    /// <summary>The folder of the cache before a remote image, or null for none.</summary>
    public string? CacheFolder { get; init; }

    public long CacheBytes { get; init; }

    public required int Handlers { get; init; }

    public required int Clones { get; init; }

    /// <summary>Whether reports have what the meter says.</summary>
    public bool Metrics { get; init; }

    /// <summary>Where metrics and traces are sent; null for nowhere.</summary>
    public string? Otlp { get; init; }

    /// <summary>Where the working set is written; null for nowhere.</summary>
    public string? Record { get; init; }

    /// <summary>The working set to bring ahead; null for none.</summary>
    public string? Replay { get; init; }

    /// <summary>Where the memory of the first clone is saved; null for nowhere.</summary>
    public string? Snapshot { get; init; }
}
