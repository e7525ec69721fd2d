using System;
using System.Buffers.Binary;
using System.IO;
using System.Threading.Tasks;
using Faultline.Stores;

namespace Faultline.Paging.Tests;

/// <summary>The image of a chaos run: its words are known, every eleventh page is zero; and the bytes of it as a <c>.flt</c> file.</summary>
internal sealed class ChaosImage
{
    private ChaosImage(ulong length, byte[] file)
    {
        Length = length;
        File = file;
    }

    public ulong Length { get; }

    /// <summary>The image as a file.</summary>
    public byte[] File { get; }

    public static async Task<ChaosImage> CreateAsync(ulong length, string folder)
    {
        string path = Path.Combine(folder, "base.flt");
        byte[] contents = new byte[length];
        for (ulong offset = 0; offset < length; offset += 8)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(contents.AsSpan((int)offset), ChaosImage.WordAt(offset));
        }

        await ImageBuilder.CreateAsync(new MemoryPageStore(contents), path, new ImageWriterOptions { ChunkBytes = 16 << 10 });
        return new ChaosImage(length, await System.IO.File.ReadAllBytesAsync(path));
    }

    /// <summary>The word at a multiple of eight.</summary>
    public static ulong WordAt(ulong offset) => offset / PageSize.Small % 11 == 5 ? 0 : ((offset + 8) * 0x9E3779B97F4A7C15UL) | 1;
}
