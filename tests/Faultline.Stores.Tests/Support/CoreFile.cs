using System;
using System.Buffers.Binary;

namespace Faultline.Stores.Tests;

/// <summary>Makes core dumps as small as they can be: an ELF header, program headers, and the contents.</summary>
internal static class CoreFile
{
    /// <summary>A dump of segments: an address, the bytes the file has, and the length in memory.</summary>
    public static byte[] Make(params (ulong Address, byte[] Bytes, ulong Length)[] segments)
    {
        int at = 64 + (56 * (segments.Length + 1));
        int length = at;
        foreach ((_, byte[] bytes, _) in segments)
        {
            length += bytes.Length;
        }

        byte[] file = new byte[length];
        ((byte[])[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1]).CopyTo(file, 0);
        Span<byte> header = file;
        BinaryPrimitives.WriteUInt16LittleEndian(header[16..], 4);
        BinaryPrimitives.WriteUInt16LittleEndian(header[18..], 62);
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(header[54..], 56);
        BinaryPrimitives.WriteUInt16LittleEndian(header[56..], (ushort)(segments.Length + 1));

        // The first is a note, as in every real dump: not memory.
        BinaryPrimitives.WriteUInt32LittleEndian(header[64..], 4);
        for (int i = 0; i < segments.Length; i++)
        {
            Span<byte> program = header.Slice(64 + (56 * (i + 1)), 56);
            BinaryPrimitives.WriteUInt32LittleEndian(program, 1);
            BinaryPrimitives.WriteUInt64LittleEndian(program[8..], (ulong)at);
            BinaryPrimitives.WriteUInt64LittleEndian(program[16..], segments[i].Address);
            BinaryPrimitives.WriteUInt64LittleEndian(program[32..], (ulong)segments[i].Bytes.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(program[40..], segments[i].Length);
            segments[i].Bytes.CopyTo(header[at..]);
            at += segments[i].Bytes.Length;
        }

        return file;
    }
}
