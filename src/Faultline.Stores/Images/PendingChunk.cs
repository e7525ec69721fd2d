using System;
using ZstdSharp;

namespace Faultline.Stores;

/// <summary>A chunk on its way into a file: packed on any thread, and written in its turn.</summary>
internal sealed class PendingChunk(int chunkBytes) : IDisposable
{
    private readonly byte[] _packed = new byte[chunkBytes];
    private Compressor? _compressor;

    public byte[] Contents { get; } = new byte[chunkBytes];

    public int Length { get; set; }

    public ChunkKind Kind { get; private set; }

    public UInt128 Checksum { get; private set; }

    /// <summary>What goes into the file, if it is stored at all.</summary>
    public ReadOnlyMemory<byte> Stored { get; private set; }

    /// <summary>Decides how the chunk is held. Worth it means a sixteenth smaller: unpacking costs time at every read.</summary>
    /// <param name="compression">How to make it smaller.</param>
    /// <param name="level">How hard to try.</param>
    /// <param name="inherited">The checksum of the base's chunk, or zero if there is none.</param>
    /// <param name="isKnown">Whether a chunk with a checksum is in the file already.</param>
    public void Pack(ImageCompression compression, int level, UInt128 inherited, Func<UInt128, bool> isKnown)
    {
        ReadOnlySpan<byte> contents = Contents.AsSpan(0, Length);
        Checksum = ContentChecksum.Of(contents);
        Stored = Contents.AsMemory(0, Length);
        Kind = Checksum == 0 ? ChunkKind.Zero : Checksum == inherited ? ChunkKind.Inherited : ChunkKind.Raw;
        if (Kind != ChunkKind.Raw || compression == ImageCompression.None || isKnown(Checksum))
        {
            return;
        }

        _compressor ??= new Compressor(level);
        int room = Length - (Length / 16);
        if (_compressor.TryWrap(contents, _packed.AsSpan(0, room), out int packed))
        {
            Kind = ChunkKind.Zstandard;
            Stored = _packed.AsMemory(0, packed);
        }
    }

    public void Dispose() => _compressor?.Dispose();
}
