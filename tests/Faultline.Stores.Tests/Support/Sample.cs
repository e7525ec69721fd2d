using System;

namespace Faultline.Stores.Tests;

/// <summary>Bytes with everything an image may have: random parts, parts that compress, equal parts, zeroes, and an end inside a page.</summary>
internal static class Sample
{
    public const int OddLength = (1 << 20) + 5000 + 123;

    /// <summary>In pieces of 16 KiB: random, zero, text, one that is always the same.</summary>
    public static byte[] Bytes(int length, int seed = 1)
    {
        const int Piece = 16 << 10;
        var random = new Random(seed);
        byte[] bytes = new byte[length];
        byte[] same = new byte[Piece];
        new Random(99).NextBytes(same);
        for (int offset = 0; offset < length; offset += Piece)
        {
            Span<byte> piece = bytes.AsSpan(offset, Math.Min(Piece, length - offset));
            switch (offset / Piece % 16)
            {
                case 0 or 1 or 2 or 3 or 13:
                    random.NextBytes(piece);
                    break;
                case 4 or 5 or 6 or 7 or 15:
                    for (int i = 0; i < piece.Length; i++)
                    {
                        piece[i] = (byte)('a' + (i % 7) + (random.Next(8) == 0 ? 1 : 0));
                    }

                    break;
                case 12:
                    same.AsSpan(0, piece.Length).CopyTo(piece);
                    break;
            }
        }

        return bytes;
    }

    /// <summary>The same bytes with some bytes changed in a few places.</summary>
    public static byte[] Changed(byte[] bytes, int seed, int places = 3)
    {
        byte[] changed = (byte[])bytes.Clone();
        var random = new Random(seed);
        for (int i = 0; i < places; i++)
        {
            changed[random.Next(changed.Length)] ^= 0x5A;
        }

        return changed;
    }
}
