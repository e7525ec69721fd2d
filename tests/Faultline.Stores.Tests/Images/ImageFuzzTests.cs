using System;
using System.Buffers.Binary;
using System.IO;
using System.Security.Cryptography;
using System.Threading.Tasks;
using Faultline.Paging;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>
/// Images that were cut, damaged, or made with intent. A reader may refuse, at opening or at reading, with one of two exceptions. It may not give a wrong byte,
/// throw anything else, take memory without bound, or hang.
/// </summary>
public sealed class ImageFuzzTests : IDisposable
{
    private static readonly ulong[] HostileNumbers =
        [0, 1, 63, 64, 127, 128, 4095, 4096, int.MaxValue, uint.MaxValue, 1UL << 43, (1UL << 43) + 1, long.MaxValue, ulong.MaxValue - 127, ulong.MaxValue];

    private readonly TestFolder _folder = new();
    private readonly byte[] _contents = Sample.Bytes(150_000);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Open_CutAnywhere_IsRefused()
    {
        byte[] file = await MakeAsync();
        for (int length = 0; length < file.Length; length += length < 300 || length > file.Length - 600 ? 1 : 97)
        {
            await Assert.ThrowsAsync<ImageFormatException>(() => ImagePageStore.OpenAsync(new MemoryPageStore(file.AsMemory(0, length)), "cut"));
        }
    }

    [Fact]
    public async Task Open_WithMoreAtTheEnd_IsRefused() =>
        await Assert.ThrowsAsync<ImageFormatException>(async () => await ImagePageStore.OpenAsync(new MemoryPageStore((byte[])[.. await MakeAsync(), 0]), "longer"));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Read_WithFlippedBits_NeverGivesAWrongByte(int seed)
    {
        byte[] file = await MakeAsync();
        var random = new Random(seed);
        int refused = 0;
        for (int i = 0; i < 1200; i++)
        {
            byte[] damaged = (byte[])file.Clone();
            int flips = 1 + random.Next(3);
            for (int flip = 0; flip < flips; flip++)
            {
                // Every other one among the last bytes, where the numbers are.
                int at = random.Next(2) == 0 ? random.Next(file.Length) : file.Length - 1 - random.Next(Math.Min(2000, file.Length));
                damaged[at] ^= (byte)(1 << random.Next(8));
            }

            refused += await ReadAsync(damaged, mustBeRight: true) ? 0 : 1;
        }

        Assert.InRange(refused, 1000, 1200);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Read_WithHostileNumbersUnderRightChecksums_EndsWell(int seed)
    {
        byte[] file = await MakeAsync();
        var random = new Random(seed);
        for (int i = 0; i < 1500; i++)
        {
            byte[] hostile = (byte[])file.Clone();
            Span<byte> footer = hostile.AsSpan(hostile.Length - ImageLayout.FooterSize);
            int root = (int)BinaryPrimitives.ReadUInt64LittleEndian(footer[16..]);
            int changes = 1 + random.Next(2);
            for (int change = 0; change < changes; change++)
            {
                ulong number = random.Next(2) == 0 ? HostileNumbers[random.Next(HostileNumbers.Length)] : (ulong)random.NextInt64() >> random.Next(64);
                switch (random.Next(3))
                {
                    case 0:
                        BinaryPrimitives.WriteUInt64LittleEndian(footer[(random.Next(5) * 8)..], number);
                        break;
                    case 1:
                        BinaryPrimitives.WriteUInt64LittleEndian(hostile.AsSpan(root + (random.Next(3) * 4)), number);
                        break;
                    default:
                        hostile[12] = footer[36] = (byte)random.Next(40);
                        break;
                }
            }

            Sign(hostile);
            await ReadAsync(hostile, mustBeRight: false);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Read_OfAnIndexMadeWithIntent_EndsWell(int seed)
    {
        // The block of the index is stored as it is, and everything above it is made to agree: only its own entries are wrong.
        var random = new Random(seed);
        for (int i = 0; i < 800; i++)
        {
            byte[] hostile = MakeByHand(entry =>
            {
                int field = random.Next(4);
                ulong number = random.Next(2) == 0 ? HostileNumbers[random.Next(HostileNumbers.Length)] : (ulong)random.Next(20_000);
                if (field == 0)
                {
                    BinaryPrimitives.WriteUInt64LittleEndian(entry, number);
                }
                else if (field == 1)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], (uint)number);
                }
                else if (field == 2)
                {
                    entry[12] = (byte)random.Next(6);
                }
                else
                {
                    entry[13 + random.Next(3)] = (byte)random.Next(3);
                }
            });
            await ReadAsync(hostile, mustBeRight: false);
        }

        Assert.True(await ReadAsync(MakeByHand(static _ => { }), mustBeRight: false), "The same image without the change is sound.");
    }

    [Fact]
    public async Task Core_WithHostileNumbers_EndsWell()
    {
        byte[] dump = CoreFile.Make((0x400000, Sample.Bytes(10_000), 20_000), (0x500000, Sample.Bytes(5000), 5000));
        var random = new Random(5);
        for (int i = 0; i < 2000; i++)
        {
            byte[] hostile = (byte[])dump.Clone();
            int at = random.Next(2) == 0 ? random.Next(16, 64) : random.Next(64, 64 + (3 * 56));
            BinaryPrimitives.WriteUInt64LittleEndian(hostile.AsSpan(at), HostileNumbers[random.Next(HostileNumbers.Length)]);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using CorePageStore core = await CorePageStore.OpenAsync(new MemoryPageStore(hostile), "hostile");
                byte[] target = new byte[5000];
                for (ulong offset = 0; offset < Math.Min(core.Length, 100_000); offset += 5000)
                {
                    _ = await core.ReadAsync(offset, target, TestContext.Current.CancellationToken);
                }
            }
            catch (Exception refusal) when (refusal is ImageFormatException or IOException)
            {
                Assert.NotEmpty(refusal.Message);
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, HostileRead.MostAllocated);
        }
    }

    private Task<bool> ReadAsync(byte[] file, bool mustBeRight) =>
        HostileRead.AllAsync(() => ImagePageStore.OpenAsync(new MemoryPageStore(file), "fuzzed"), mustBeRight ? _contents : null);

    private async Task<byte[]> MakeAsync()
    {
        string path = _folder.File("image.flt");
        var options = new ImageWriterOptions { ChunkBytes = 4096 };
        await ImageBuilder.CreateAsync(new MemoryPageStore(_contents), path, options);
        return await File.ReadAllBytesAsync(path);
    }

    /// <summary>
    /// An image of three chunks of 4 KiB, one of them zero, written without the writer: from the text of the format. The change is made to the
    /// entry of the second before the checksums are computed.
    /// </summary>
    private static byte[] MakeByHand(ChangeEntry change)
    {
        const int Chunk = 4096;
        byte[] first = new byte[Chunk];
        byte[] second = new byte[Chunk];
        new Random(1).NextBytes(first);
        new Random(2).NextBytes(second);
        byte[] file = new byte[64 + (2 * Chunk) + (3 * 32) + 32 + 128];
        ((byte[])[0x89, (byte)'F', (byte)'L', (byte)'T', 0x0D, 0x0A, 0x1A, 0x0A, 1, 0, 0, 0, 12]).CopyTo(file, 0);
        first.CopyTo(file, 64);
        second.CopyTo(file, 64 + Chunk);
        int block = 64 + (2 * Chunk);
        Entry(file.AsSpan(block), 64, Chunk, SHA256.HashData(first));
        Entry(file.AsSpan(block + 32), 64 + Chunk, Chunk, SHA256.HashData(second));
        change(file.AsSpan(block + 32, 32));
        byte[] checksums = [.. file.AsSpan(block + 16, 16), .. file.AsSpan(block + 48, 16), .. file.AsSpan(block + 80, 16)];
        int root = block + 96;
        Entry(file.AsSpan(root), (ulong)block, 96, SHA256.HashData(checksums));
        Span<byte> footer = file.AsSpan(root + 32);
        BinaryPrimitives.WriteUInt64LittleEndian(footer, 3 * Chunk);
        BinaryPrimitives.WriteUInt64LittleEndian(footer[8..], (ulong)file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(footer[16..], (ulong)root);
        footer[36] = 12;
        "FLTEND\r\n"u8.CopyTo(footer[120..]);
        Sign(file);
        return file;
    }

    private static void Entry(Span<byte> entry, ulong offset, uint length, ReadOnlySpan<byte> hash)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(entry, offset);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], length);
        entry[12] = 1;
        hash[..16].CopyTo(entry[16..]);
    }

    /// <summary>Makes the digest and the footer's checksum agree with the rest, as someone with intent would.</summary>
    internal static void Sign(byte[] file)
    {
        Span<byte> footer = file.AsSpan(file.Length - 128);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(footer);
        ulong root = BinaryPrimitives.ReadUInt64LittleEndian(footer[16..]);
        ulong chunk = 1UL << (footer[36] & 63);
        ulong blocks = length == 0 ? 0 : ((((length - 1) / chunk) + 1) + 1023) / 1024;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("faultline image 1"u8);
        hash.AppendData(footer[..8]);
        hash.AppendData(BitConverter.GetBytes((uint)chunk));
        for (ulong block = 0; block < blocks && root < (ulong)file.Length && root + (block * 32) + 32 <= (ulong)file.Length; block++)
        {
            hash.AppendData(file.AsSpan((int)(root + (block * 32) + 16), 16));
        }

        hash.GetHashAndReset(footer[40..]);
        SHA256.HashData(footer[..104])[..16].CopyTo(footer[104..]);
    }

    private delegate void ChangeEntry(Span<byte> entry);
}
