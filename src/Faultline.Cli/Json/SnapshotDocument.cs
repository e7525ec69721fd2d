namespace Faultline.Cli.Json;

/// <summary>The memory of a clone as it was saved.</summary>
internal sealed record SnapshotDocument
{
    /// <summary>The file written.</summary>
    public required string Path { get; init; }

    /// <summary>The image it is a layer on, as its record names it; null if it stands alone.</summary>
    public string? Base { get; init; }

    /// <summary>The length of the file.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Chunks that are in the file.</summary>
    public required long StoredChunks { get; init; }

    /// <summary>Chunks that are the base's.</summary>
    public required long InheritedChunks { get; init; }

    public required long ZeroChunks { get; init; }

    /// <summary>How long a writer could have been stopped by the call that froze the memory.</summary>
    public required double ProtectMs { get; init; }

    /// <summary>Null, or one sentence: why there is no file.</summary>
    public string? Failure { get; init; }
}
