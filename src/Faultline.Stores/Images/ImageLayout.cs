using System;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Faultline.Stores;

/// <summary>The numbers of the format, and the header. docs/image-format.md explains them.</summary>
internal static class ImageLayout
{
    public const int HeaderSize = 64;
    public const int FooterSize = 128;
    public const ushort MajorVersion = 1;
    public const ushort MinorVersion = 0;

    public const int SmallestChunk = 4 << 10;
    public const int LargestChunk = 16 << 20;

    /// <summary>The entries of one block of the index.</summary>
    public const int BlockEntries = 1024;

    /// <summary>The most bytes of an image: what a pager can map.</summary>
    public const ulong LargestImage = 1UL << 43;

    public const int LargestBaseRecord = ImageDigest.Size + LargestBaseName;
    public const int LargestBaseName = 4096;

    /// <summary>A byte that no text has, the name, and line ends that a transfer as text would change.</summary>
    public static ReadOnlySpan<byte> HeaderMagic => [0x89, (byte)'F', (byte)'L', (byte)'T', 0x0D, 0x0A, 0x1A, 0x0A];

    public static ReadOnlySpan<byte> FooterMagic => "FLTEND\r\n"u8;

    private static ReadOnlySpan<byte> DigestPrefix => "faultline image 1"u8;

    public static bool IsImage(ReadOnlySpan<byte> firstBytes) => firstBytes.StartsWith(HeaderMagic);

    public static void WriteHeader(Span<byte> target, int chunkBytes)
    {
        target[..HeaderSize].Clear();
        HeaderMagic.CopyTo(target);
        BinaryPrimitives.WriteUInt16LittleEndian(target[8..], MajorVersion);
        BinaryPrimitives.WriteUInt16LittleEndian(target[10..], MinorVersion);
        target[12] = (byte)int.Log2(chunkBytes);
    }

    /// <summary>Checks a header, and gives the exponent of the chunk size.</summary>
    public static int ReadHeader(ReadOnlySpan<byte> header, string image)
    {
        if (!IsImage(header))
        {
            throw new ImageFormatException(image, "it does not begin like an image of this format");
        }

        ushort major = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        if (major != MajorVersion)
        {
            throw new ImageFormatException(image, $"it is of version {major}, and this reader knows version {MajorVersion}");
        }

        if (header[13..HeaderSize].ContainsAnyExcept((byte)0))
        {
            throw new ImageFormatException(image, "a reserved field of its header is not zero");
        }

        return header[12];
    }

    /// <summary>The digest of an image from the entries of its root.</summary>
    public static ImageDigest DigestOf(ulong length, int chunkBytes, ReadOnlySpan<ImageEntry> root)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(DigestPrefix);
        Span<byte> number = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(number, length);
        BinaryPrimitives.WriteUInt32LittleEndian(number[8..], (uint)chunkBytes);
        hash.AppendData(number[..12]);
        foreach (ref readonly ImageEntry entry in root)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(number, entry.Checksum);
            hash.AppendData(number);
        }

        Span<byte> digest = stackalloc byte[ImageDigest.Size];
        hash.GetHashAndReset(digest);
        return new ImageDigest(digest);
    }

    /// <summary>The checksum of a block of the index: of the checksums in it, so that it depends on contents alone.</summary>
    public static UInt128 ChecksumOf(ReadOnlySpan<ImageEntry> block)
    {
        Span<byte> checksums = new byte[block.Length * ContentChecksum.Size];
        for (int i = 0; i < block.Length; i++)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(checksums[(i * ContentChecksum.Size)..], block[i].Checksum);
        }

        return ContentChecksum.Of(checksums);
    }
}
