using System;

namespace Faultline.Stores;

/// <summary>How an image is written.</summary>
public sealed record ImageWriterOptions
{
    /// <summary>The size of a chunk in bytes, a power of two from 4 KiB to 16 MiB; null for that of the base, or else 64 KiB.</summary>
    public int? ChunkBytes { get; init; }

    /// <summary>How chunks are made smaller.</summary>
    public ImageCompression Compression { get; init; } = ImageCompression.Zstandard;

    /// <summary>How hard the compression tries, from 1 to 19.</summary>
    public int CompressionLevel { get; init; } = 3;

    /// <summary>The image to build a layer on, or null for an image that stands alone. It stays the caller's.</summary>
    public ImagePageStore? Base { get; init; }

    /// <summary>Where the base is, seen from the folder of the new image; with <see cref="Base"/> only.</summary>
    public string? BaseName { get; init; }

    /// <summary>The size of a chunk that results.</summary>
    internal int EffectiveChunkBytes => ChunkBytes ?? Base?.ChunkBytes ?? 64 << 10;

    internal void Validate()
    {
        int chunk = EffectiveChunkBytes;
        Require(
            int.IsPow2(chunk) && chunk is >= ImageLayout.SmallestChunk and <= ImageLayout.LargestChunk,
            $"ChunkBytes is {chunk}; it must be a power of two from 4 KiB to 16 MiB.");
        Require(Base is null || Base.ChunkBytes == chunk, $"ChunkBytes is {chunk}, and a layer must have the {Base?.ChunkBytes} of its base.");
        Require(CompressionLevel is >= 1 and <= 19, $"CompressionLevel is {CompressionLevel}; it must be from 1 to 19.");
        Require((Base is null) == (BaseName is null), "Base and BaseName go together.");
        string? fault = BaseName is null ? null : Stores.BaseName.FindFault(BaseName);
        Require(fault is null, $"The name of the base '{BaseName}' {fault}.");
    }

    private static void Require(bool options, string message)
    {
        if (!options)
        {
            throw new ArgumentException(message, nameof(options));
        }
    }
}
