namespace Faultline.Cli.Json;

/// <summary>What <c>image create</c> and <c>image rebase</c> print with <c>--json</c>.</summary>
internal sealed record ImageWrittenDocument
{
    public required string Command { get; init; }

    public required string Source { get; init; }

    public required string Image { get; init; }

    public required string Digest { get; init; }

    /// <summary>The image the new one is a layer on, as its name is in it, or null.</summary>
    public string? Base { get; init; }

    public required ulong LengthBytes { get; init; }

    public required ulong FileBytes { get; init; }

    public required int ChunkBytes { get; init; }

    public required long ZeroChunks { get; init; }

    public required long InheritedChunks { get; init; }

    public required long StoredChunks { get; init; }

    public required long SharedChunks { get; init; }

    public required double Ms { get; init; }
}
