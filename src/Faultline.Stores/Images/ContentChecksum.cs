using System;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Faultline.Stores;

/// <summary>The checksum of the format: the first 16 bytes of SHA-256, or zero for contents that are all zero.</summary>
internal static class ContentChecksum
{
    public const int Size = 16;

    public static UInt128 Of(ReadOnlySpan<byte> contents)
    {
        if (!contents.ContainsAnyExcept((byte)0))
        {
            return UInt128.Zero;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(contents, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
