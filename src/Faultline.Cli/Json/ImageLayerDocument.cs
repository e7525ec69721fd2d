namespace Faultline.Cli.Json;

/// <summary>One image of a chain.</summary>
internal sealed record ImageLayerDocument
{
    public required string Name { get; init; }

    public required string Digest { get; init; }

    public required ulong LengthBytes { get; init; }

    public required ulong FileBytes { get; init; }

    public required int ChunkBytes { get; init; }

    public required long ZeroChunks { get; init; }

    public required long InheritedChunks { get; init; }

    public required long RawChunks { get; init; }

    public required long CompressedChunks { get; init; }

    /// <summary>Chunks whose place in the file is that of an earlier one too; counted above as well.</summary>
    public required long SharedChunks { get; init; }

    public required ulong StoredBytes { get; init; }
}
