using System;
using System.Buffers.Binary;
using System.IO;
using System.Text;
using System.Threading.Tasks;
using Faultline.Paging;
using Xunit;
using ZstdSharp;

namespace Faultline.Stores.Tests;

/// <summary>
/// Layers, spliced files and packed chunks that were damaged or made with intent: a clear refusal, or right bytes; no other exception, bounded memory, and
/// no other file than one below the layer's folder is asked for.
/// </summary>
public sealed class HostileImageTests : IDisposable
{
    private const int Chunk = 4096;

    private readonly TestFolder _folder = new();
    private readonly byte[] _below = Sample.Bytes(150_000);
    private readonly byte[] _contents = Sample.Changed(Sample.Bytes(150_000), 3, places: 8);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Read_LayerOrBaseWithFlippedBits_NeverGivesAWrongByte(int seed)
    {
        (byte[] below, byte[] layer) = await MakeLayerAsync();
        Assert.True(await ReadAsync(below, layer, mustBeRight: true), "The layer without damage is sound.");
        var random = new Random(seed);
        int refused = 0;
        for (int i = 0; i < 600; i++)
        {
            byte[] damagedBelow = (byte[])below.Clone();
            byte[] damagedLayer = (byte[])layer.Clone();
            byte[] damaged = i % 2 == 0 ? damagedLayer : damagedBelow;
            int at = random.Next(2) == 0 ? random.Next(damaged.Length) : damaged.Length - 1 - random.Next(1000);
            damaged[at] ^= (byte)(1 << random.Next(8));
            refused += await ReadAsync(damagedBelow, damagedLayer, mustBeRight: true) ? 0 : 1;
        }

        // What the layer has of its own hides damage of the base there.
        Assert.InRange(refused, 450, 600);
    }

    [Fact]
    public async Task Open_BaseRecordMadeWithIntent_AsksForNothingElsewhere()
    {
        (byte[] below, byte[] layer) = await MakeLayerAsync();
        string[] names = ["../x.flt", "/etc/shadow", "a/../../x", "http://x/y", "a\\b", "x?y", "x#y", "a//b", ".", "\u0001", "c:x", "base.flt", "ok"];
        var random = new Random(9);
        int place = (int)BinaryPrimitives.ReadUInt64LittleEndian(layer.AsSpan(layer.Length - ImageLayout.FooterSize + 24));
        int length = (int)BinaryPrimitives.ReadUInt32LittleEndian(layer.AsSpan(layer.Length - ImageLayout.FooterSize + 32));
        for (int i = 0; i < 1000; i++)
        {
            byte[] hostile = (byte[])layer.Clone();
            Span<byte> name = hostile.AsSpan(place + ImageDigest.Size, length - ImageDigest.Size);
            byte[] wanted = Encoding.UTF8.GetBytes(names[random.Next(names.Length)]);
            if (random.Next(3) == 0)
            {
                random.NextBytes(name);
            }
            else
            {
                wanted.AsSpan(0, Math.Min(wanted.Length, name.Length)).CopyTo(name);
                BinaryPrimitives.WriteUInt32LittleEndian(
                    hostile.AsSpan(hostile.Length - ImageLayout.FooterSize + 32), (uint)(ImageDigest.Size + Math.Min(wanted.Length, name.Length)));
            }

            ImageFuzzTests.Sign(hostile);
            await ReadAsync(below, hostile, mustBeRight: false);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Read_SplicedUnderRightChecksums_EndsWell(int seed)
    {
        (byte[] below, byte[] layer) = await MakeLayerAsync();
        var random = new Random(seed);
        for (int i = 0; i < 800; i++)
        {
            byte[] hostile = Splice(i % 2 == 0 ? layer : below, random);
            await ReadAsync(below, hostile, mustBeRight: false);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Unpack_DamagedFrames_WritesNowhereElse(int seed)
    {
        const int Guard = 256;
        var random = new Random(seed);
        using var compressor = new Compressor(3);
        byte[] whole = Sample.Bytes(64 << 10, 4)[(16 << 10)..];
        for (int i = 0; i < 3000; i++)
        {
            int length = 1 + random.Next(32 << 10);
            byte[] frame = compressor.Wrap(whole.AsSpan(random.Next(whole.Length - length), length)).ToArray();
            for (int change = random.Next(1, 6); change > 0; change--)
            {
                // Half of them in the head, where the frame says how large it and its window are.
                frame[random.Next(2) == 0 ? random.Next(Math.Min(16, frame.Length)) : random.Next(frame.Length)] = (byte)random.Next(256);
            }

            if (random.Next(4) == 0)
            {
                frame = frame[..random.Next(frame.Length)];
            }

            byte[] memory = new byte[length + (2 * Guard)];
            memory.AsSpan().Fill(0xA5);
            long before = GC.GetAllocatedBytesForCurrentThread();
            string? fault = ChunkCodec.Unpack(ChunkKind.Zstandard, frame, memory.AsSpan(Guard, length));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, HostileRead.MostAllocated);
            Assert.False(memory.AsSpan(0, Guard).ContainsAnyExcept((byte)0xA5), fault);
            Assert.False(memory.AsSpan(Guard + length).ContainsAnyExcept((byte)0xA5), fault);
        }
    }

    /// <summary>Takes a range out of a file, or puts one in twice, and makes its numbers and checksums agree again.</summary>
    private static byte[] Splice(byte[] file, Random random)
    {
        int body = file.Length - ImageLayout.FooterSize;
        int at = random.Next(ImageLayout.HeaderSize, body);
        int length = random.Next(1, Math.Min(body - at, 5000) + 1);
        bool isTaken = random.Next(2) == 0;
        byte[] spliced = isTaken ? [.. file.AsSpan(0, at), .. file.AsSpan(at + length)] : [.. file.AsSpan(0, at + length), .. file.AsSpan(at)];
        Span<byte> footer = spliced.AsSpan(spliced.Length - ImageLayout.FooterSize);
        BinaryPrimitives.WriteUInt64LittleEndian(footer[8..], (ulong)spliced.Length);
        foreach (int field in (int[])[16, 24])
        {
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(footer[field..]);
            if (offset > (ulong)at && random.Next(4) != 0)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(footer[field..], isTaken ? offset - Math.Min(offset, (ulong)length) : offset + (ulong)length);
            }
        }

        ImageFuzzTests.Sign(spliced);
        return spliced;
    }

    /// <summary>Opens a layer, whose base is asked for by a harmless name, and reads everything.</summary>
    private Task<bool> ReadAsync(byte[] below, byte[] layer, bool mustBeRight) => HostileRead.AllAsync(
        () => ImagePageStore.OpenAsync(
            new MemoryPageStore(layer),
            "layer",
            (layerOf, token) =>
            {
                Assert.Null(BaseName.FindFault(layerOf.Name));
                return ImagePageStore.OpenAsync(new MemoryPageStore(below), layerOf.Name, null, token);
            }),
        mustBeRight ? _contents : null);

    private async Task<(byte[] Below, byte[] Layer)> MakeLayerAsync()
    {
        await ImageBuilder.CreateAsync(new MemoryPageStore(_below), _folder.File("base.flt"), new ImageWriterOptions { ChunkBytes = Chunk });
        using (ImagePageStore below = await ImagePageStore.OpenAsync(new FilePageStore(_folder.File("base.flt")), "base.flt"))
        {
            var options = new ImageWriterOptions { Base = below, BaseName = "base images/base.flt" };
            await ImageBuilder.CreateAsync(new MemoryPageStore(_contents), _folder.File("layer.flt"), options);
        }

        return (await File.ReadAllBytesAsync(_folder.File("base.flt")), await File.ReadAllBytesAsync(_folder.File("layer.flt")));
    }
}
