using System;
using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Faultline.Stores;

/// <summary>The last bytes of an image file. Without them, whole, the file is not an image.</summary>
internal sealed record ImageFooter
{
    private const int ChecksumOffset = FooterSize - 8 - ContentChecksum.Size;
    private const int FooterSize = ImageLayout.FooterSize;

    /// <summary>The length of the image, not of the file.</summary>
    public required ulong Length { get; init; }

    public required ulong FileLength { get; init; }

    public required ulong RootOffset { get; init; }

    public required ulong BaseOffset { get; init; }

    public required uint BaseLength { get; init; }

    public required int ChunkBytes { get; init; }

    public required ImageDigest Digest { get; init; }

    public long Chunks => (long)((Length + (ulong)ChunkBytes - 1) / (ulong)ChunkBytes);

    public int Blocks => (int)((Chunks + ImageLayout.BlockEntries - 1) / ImageLayout.BlockEntries);

    public ulong RootLength => (ulong)Blocks * ImageEntry.Size;

    /// <summary>Reads a footer and checks it against the file.</summary>
    /// <exception cref="ImageFormatException">It is no footer, or not of this file.</exception>
    public static ImageFooter Read(ReadOnlySpan<byte> bytes, ulong fileLength, int chunkLog2, string image)
    {
        if (!bytes[(FooterSize - 8)..].SequenceEqual(ImageLayout.FooterMagic))
        {
            throw new ImageFormatException(image, "its footer is missing: it was cut short, or its writing never ended");
        }

        if (Checksum(bytes[..ChecksumOffset]) != BinaryPrimitives.ReadUInt128LittleEndian(bytes[ChecksumOffset..]))
        {
            throw new ImageFormatException(image, "its footer is damaged");
        }

        if (bytes[36] != chunkLog2 || chunkLog2 < BitOperations.Log2(ImageLayout.SmallestChunk) || chunkLog2 > BitOperations.Log2(ImageLayout.LargestChunk))
        {
            throw new ImageFormatException(image, $"its chunk size is two to the power of {chunkLog2} in the header and {bytes[36]} in the footer");
        }

        if (bytes[37..40].ContainsAnyExcept((byte)0) || bytes[72..ChecksumOffset].ContainsAnyExcept((byte)0))
        {
            throw new ImageFormatException(image, "a reserved field of its footer is not zero");
        }

        var footer = new ImageFooter
        {
            Length = BinaryPrimitives.ReadUInt64LittleEndian(bytes),
            FileLength = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
            RootOffset = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
            BaseOffset = BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]),
            BaseLength = BinaryPrimitives.ReadUInt32LittleEndian(bytes[32..]),
            ChunkBytes = 1 << chunkLog2,
            Digest = new ImageDigest(bytes.Slice(40, ImageDigest.Size)),
        };
        return footer.FindFault(fileLength) is { } fault ? throw new ImageFormatException(image, fault) : footer;
    }

    public void Write(Span<byte> target)
    {
        target[..FooterSize].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(target, Length);
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], FileLength);
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], RootOffset);
        BinaryPrimitives.WriteUInt64LittleEndian(target[24..], BaseOffset);
        BinaryPrimitives.WriteUInt32LittleEndian(target[32..], BaseLength);
        target[36] = (byte)int.Log2(ChunkBytes);
        Digest.CopyTo(target[40..]);
        BinaryPrimitives.WriteUInt128LittleEndian(target[ChecksumOffset..], Checksum(target[..ChecksumOffset]));
        ImageLayout.FooterMagic.CopyTo(target[(FooterSize - 8)..]);
    }

    private static UInt128 Checksum(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    private string? FindFault(ulong fileLength)
    {
        if (FileLength != fileLength)
        {
            return $"it has {fileLength} bytes, and its footer says {FileLength}";
        }

        if (Length is 0 or > ImageLayout.LargestImage)
        {
            return $"its length of {Length} bytes is not from 1 byte to 8 TiB";
        }

        ulong end = fileLength - FooterSize;
        if (RootOffset < ImageLayout.HeaderSize || RootOffset > end || RootLength > end - RootOffset)
        {
            return $"its root of {RootLength} bytes at {RootOffset} lies outside of the file";
        }

        bool hasBase = BaseLength != 0;
        if (hasBase != (BaseOffset != 0)
            || (hasBase && (BaseLength is <= ImageDigest.Size or > ImageLayout.LargestBaseRecord
                || BaseOffset < ImageLayout.HeaderSize || BaseOffset > end || BaseLength > end - BaseOffset)))
        {
            return $"what it says of its base, {BaseLength} bytes at {BaseOffset}, lies outside of the file";
        }

        return null;
    }
}
