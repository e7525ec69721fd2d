using System;
using System.Buffers.Binary;

namespace Faultline.Stores;

/// <summary>Where something is in the file, and what it must be: a chunk (in a block of the index), or a block of the index (in the root).</summary>
/// <param name="Kind">How it is held.</param>
/// <param name="Offset">Where it is in the file; zero if it takes no room.</param>
/// <param name="StoredLength">How many bytes it takes there.</param>
/// <param name="Checksum">The checksum of its contents.</param>
internal readonly record struct ImageEntry(ChunkKind Kind, ulong Offset, uint StoredLength, UInt128 Checksum)
{
    public const int Size = 32;

    public bool IsStored => Kind is ChunkKind.Raw or ChunkKind.Zstandard;

    /// <summary>Reads an entry and checks it against the file it is in.</summary>
    /// <param name="bytes">The entry.</param>
    /// <param name="contentLength">The length of what it describes.</param>
    /// <param name="limit">Where the part of the file ends that it may point to.</param>
    /// <param name="fault">What is wrong with it, or null.</param>
    public static ImageEntry Read(ReadOnlySpan<byte> bytes, int contentLength, ulong limit, out string? fault)
    {
        var entry = new ImageEntry(
            (ChunkKind)bytes[12],
            BinaryPrimitives.ReadUInt64LittleEndian(bytes),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt128LittleEndian(bytes[16..]));
        fault = entry.FindFault(contentLength, limit);
        if ((bytes[13] | bytes[14] | bytes[15]) != 0)
        {
            fault ??= "a reserved field is not zero";
        }

        return entry;
    }

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target, Offset);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], StoredLength);
        target[12] = (byte)Kind;
        target[13..16].Clear();
        BinaryPrimitives.WriteUInt128LittleEndian(target[16..], Checksum);
    }

    private string? FindFault(int contentLength, ulong limit)
    {
        switch (Kind)
        {
            case ChunkKind.Zero when Offset != 0 || StoredLength != 0 || Checksum != 0:
                return "something that is zero has a place or a checksum";
            case ChunkKind.Inherited when Offset != 0 || StoredLength != 0 || Checksum == 0:
                return "something inherited has a place, or no checksum";
            case ChunkKind.Zero or ChunkKind.Inherited:
                return null;
            case ChunkKind.Raw when StoredLength != (uint)contentLength:
            case ChunkKind.Zstandard when StoredLength == 0 || StoredLength >= (uint)contentLength:
                return $"{StoredLength} bytes are stored for {contentLength} as {Kind}";
            case ChunkKind.Raw or ChunkKind.Zstandard when Checksum == 0:
                return "something stored has no checksum";
            case ChunkKind.Raw or ChunkKind.Zstandard when Offset < ImageLayout.HeaderSize || Offset > limit || StoredLength > limit - Offset:
                return $"{StoredLength} bytes at {Offset} lie outside of the part of the file where contents are";
            case ChunkKind.Raw or ChunkKind.Zstandard:
                return null;
            default:
                return $"kind {(byte)Kind} is not known";
        }
    }
}
