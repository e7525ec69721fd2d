using System;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Faultline.Cli.Images;

/// <summary>
/// A 64-bit checksum of one 4 KiB page: four CRC-32C over the four quarters, which the processor computes side by side, mixed into one number. A
/// change within 32 neighbouring bits of a quarter always changes it.
/// </summary>
internal static class PageChecksum
{
    public const int PageBytes = 4096;

    private const int LaneWords = PageBytes / sizeof(ulong) / 4;

    public static ulong Of(ReadOnlySpan<byte> page)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(page[..PageBytes]);
        ReadOnlySpan<ulong> first = words[..LaneWords];
        ReadOnlySpan<ulong> second = words.Slice(LaneWords, LaneWords);
        ReadOnlySpan<ulong> third = words.Slice(2 * LaneWords, LaneWords);
        ReadOnlySpan<ulong> fourth = words.Slice(3 * LaneWords, LaneWords);
        uint a = 1;
        uint b = 2;
        uint c = 3;
        uint d = 4;
        for (int i = 0; i < LaneWords; i++)
        {
            a = BitOperations.Crc32C(a, first[i]);
            b = BitOperations.Crc32C(b, second[i]);
            c = BitOperations.Crc32C(c, third[i]);
            d = BitOperations.Crc32C(d, fourth[i]);
        }

        // Multiplying by odd numbers and rotating are one-to-one, so a change of one half alone never cancels out.
        ulong low = a | ((ulong)b << 32);
        ulong high = c | ((ulong)d << 32);
        return unchecked((low * 0x9E3779B97F4A7C15) ^ BitOperations.RotateLeft(high * 0xC2B2AE3D27D4EB4F, 29));
    }
}
