using System;
using System.Buffers.Binary;
using System.Globalization;
using System.IO;
using System.Security.Cryptography;
using System.Text;

namespace Faultline.Stores;

/// <summary>A block of an object: the object by the hash of its identity, and the number of the block.</summary>
internal readonly record struct CacheKey(UInt128 Object, long Block)
{
    public static UInt128 ObjectOf(string identity) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(identity)));

    /// <summary>Blocks are spread over 256 folders.</summary>
    public string FolderIn(string root) =>
        Path.Combine(root, (((ulong)Object ^ (ulong)Block) % 256).ToString("x2", CultureInfo.InvariantCulture));

    public string FileIn(string root) => Path.Combine(FolderIn(root), string.Create(CultureInfo.InvariantCulture, $"{Object:x32}.{Block:x}"));
}
