namespace Faultline.Stores;

/// <summary>What an image consists of, counted from its index.</summary>
public sealed record ImageContents
{
    /// <summary>Chunks that are zero.</summary>
    public required long ZeroChunks { get; init; }

    /// <summary>Chunks held by images below this one.</summary>
    public required long InheritedChunks { get; init; }

    /// <summary>Chunks in the file as they are.</summary>
    public required long RawChunks { get; init; }

    /// <summary>Chunks in the file, compressed.</summary>
    public required long CompressedChunks { get; init; }

    /// <summary>Chunks whose place in the file is that of an earlier one too.</summary>
    public required long SharedChunks { get; init; }

    /// <summary>The bytes that chunks take in the file.</summary>
    public required ulong StoredBytes { get; init; }
}
