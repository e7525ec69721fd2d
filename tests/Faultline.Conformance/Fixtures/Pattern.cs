using System;
using System.Buffers.Binary;

namespace Faultline.Conformance;

/// <summary>Contents that tell which page they are.</summary>
public static class Pattern
{
    /// <summary>Bytes that depend on <paramref name="seed"/> and never are all zero; no two words of eight bytes are equal.</summary>
    public static byte[] Bytes(ulong length, ulong seed)
    {
        byte[] bytes = new byte[length];
        for (int offset = 0; offset + 8 <= bytes.Length; offset += 8)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(offset), Word(seed, (ulong)offset));
        }

        for (int offset = bytes.Length & ~7; offset < bytes.Length; offset++)
        {
            bytes[offset] = (byte)(seed + (ulong)offset);
        }

        return bytes;
    }

    /// <summary>The word at an offset, which must be a multiple of eight.</summary>
    public static ulong Word(ulong seed, ulong offset) => unchecked((seed + 1) * 0x9E3779B97F4A7C15UL ^ (offset + 1));
}
