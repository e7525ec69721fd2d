namespace Faultline.Stores;

/// <summary>What became of the contents of an image that was written.</summary>
public sealed record ImageWritten
{
    /// <summary>What the image is known by.</summary>
    public required ImageDigest Digest { get; init; }

    /// <summary>The bytes of the image.</summary>
    public required ulong Length { get; init; }

    /// <summary>The bytes of its file.</summary>
    public required ulong FileLength { get; init; }

    /// <summary>The size of a chunk in bytes.</summary>
    public required int ChunkBytes { get; init; }

    /// <summary>Chunks that are zero.</summary>
    public required long ZeroChunks { get; init; }

    /// <summary>Chunks that are those of the base.</summary>
    public required long InheritedChunks { get; init; }

    /// <summary>Chunks in the file.</summary>
    public required long StoredChunks { get; init; }

    /// <summary>Chunks equal to one that was in the file already.</summary>
    public required long SharedChunks { get; init; }
}
