using System;
using System.Runtime.InteropServices;

namespace Faultline.Verification.Kernel;

/// <summary>Bytes that say which step wrote them.</summary>
internal static class Pattern
{
    /// <summary>Fills memory with a number, each page with another.</summary>
    public static void Fill(Span<byte> target, ulong value)
    {
        for (int page = 0; !target.IsEmpty; page++)
        {
            int length = Math.Min(target.Length, (int)PageSize.Small);
            Span<byte> bytes = target[..length];
            bytes.Fill((byte)(value + 1));
            MemoryMarshal.Cast<byte, ulong>(bytes).Fill(Word(value, page));
            target = target[length..];
        }
    }

    /// <summary>A number that stands for bytes.</summary>
    public static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 14695981039346656037;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            hash = unchecked((hash ^ word) * 1099511628211);
        }

        foreach (byte rest in bytes[(bytes.Length & ~7)..])
        {
            hash = unchecked((hash ^ rest) * 1099511628211);
        }

        return hash;
    }

    private static ulong Word(ulong value, int page) => unchecked(((value + 1) * 0x0101_0101_0101) + ((ulong)page << 56));
}
