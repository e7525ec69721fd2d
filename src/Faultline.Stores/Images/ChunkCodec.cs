using System;
using System.Collections.Concurrent;
using ZstdSharp;

namespace Faultline.Stores;

/// <summary>Packs and unpacks chunks. The state of the codec is kept and used again; any thread may call.</summary>
internal static class ChunkCodec
{
    private static readonly ConcurrentBag<Decompressor> Decompressors = [];

    /// <summary>Unpacks into a buffer that must come out exactly full. Takes no memory that depends on what is read.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static string? Unpack(ChunkKind kind, ReadOnlySpan<byte> stored, Span<byte> target)
    {
        if (kind == ChunkKind.Raw)
        {
            stored.CopyTo(target);
            return null;
        }

        if (!Decompressors.TryTake(out Decompressor? decompressor))
        {
            decompressor = new Decompressor();
        }

        try
        {
            int unpacked = decompressor.Unwrap(stored, target);
            Decompressors.Add(decompressor);
            return unpacked == target.Length ? null : $"it unpacks to {unpacked} bytes, and should to {target.Length}";
        }
        catch (ZstdException cause)
        {
            // Its state after an error is its own affair.
            decompressor.Dispose();
            return $"it cannot be unpacked ({cause.Message})";
        }
    }
}
