namespace Faultline.Stores;

/// <summary>What a cache has done in one process.</summary>
public sealed record BlockCacheStatistics
{
    /// <summary>Blocks found.</summary>
    public required long Hits { get; init; }

    /// <summary>Blocks not found, damaged ones included.</summary>
    public required long Misses { get; init; }

    /// <summary>Blocks that were there and did not agree with their checksum.</summary>
    public required long Damaged { get; init; }

    /// <summary>Blocks written.</summary>
    public required long Written { get; init; }

    /// <summary>Blocks not written: too many waited, the disk was full, or others held the cache.</summary>
    public required long NotWritten { get; init; }

    /// <summary>Blocks taken away by this process to make room.</summary>
    public required long Evicted { get; init; }
}
