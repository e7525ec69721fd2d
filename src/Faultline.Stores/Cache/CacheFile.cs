using System;
using System.Buffers.Binary;
using System.IO;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Faultline.Stores;

/// <summary>
/// The file of one cached block: what it is, a checksum, the bytes. Nothing in it is synchronised to the disk: after a crash a file may be
/// short, empty or zero, and then its checksum says so.
/// </summary>
internal static class CacheFile
{
    public const int HeaderSize = 56;

    private const int ChecksumOffset = 40;

    private static ReadOnlySpan<byte> Magic => "FLTCACH1"u8;

    public static void WriteHeader(Span<byte> file, CacheKey key)
    {
        Magic.CopyTo(file);
        BinaryPrimitives.WriteUInt64LittleEndian(file[8..], (ulong)(file.Length - HeaderSize));
        BinaryPrimitives.WriteUInt64LittleEndian(file[16..], (ulong)key.Block);
        BinaryPrimitives.WriteUInt128LittleEndian(file[24..], key.Object);
        BinaryPrimitives.WriteUInt128LittleEndian(file[ChecksumOffset..], Checksum(file));
    }

    /// <summary>Reads a whole file into a buffer of exactly its right length.</summary>
    /// <returns>Whether it is the block, undamaged.</returns>
    public static bool TryRead(SafeFileHandle handle, Span<byte> file, CacheKey key)
    {
        if (RandomAccess.GetLength(handle) != file.Length)
        {
            return false;
        }

        Span<byte> rest = file;
        while (!rest.IsEmpty)
        {
            int read = RandomAccess.Read(handle, rest, file.Length - rest.Length);
            if (read == 0)
            {
                return false;
            }

            rest = rest[read..];
        }

        return file.StartsWith(Magic)
            && BinaryPrimitives.ReadUInt64LittleEndian(file[16..]) == (ulong)key.Block
            && BinaryPrimitives.ReadUInt128LittleEndian(file[24..]) == key.Object
            && BinaryPrimitives.ReadUInt128LittleEndian(file[ChecksumOffset..]) == Checksum(file);
    }

    private static UInt128 Checksum(ReadOnlySpan<byte> file)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(file[..ChecksumOffset]);
        hash.AppendData(file[HeaderSize..]);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return BinaryPrimitives.ReadUInt128LittleEndian(digest);
    }
}
