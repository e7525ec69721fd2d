using System;
using System.Buffers;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores;

/// <summary>
/// The entries of an image's chunks. The root is in memory; blocks are read when the first of their chunks is wanted, checked, and kept
/// as long as there is room.
/// </summary>
internal sealed class ImageIndex(IPageStore file, string image, ImageFooter footer, ImageEntry[] root)
{
    /// <summary>The most blocks kept: 8 MiB of them, for 16 GiB of an image in chunks of 64 KiB.</summary>
    private const int MostBlocks = 256;

    private static readonly ImageEntry[] ZeroBlock = new ImageEntry[ImageLayout.BlockEntries];

    private readonly Lock _lock = new();

    /// <summary>The blocks in memory. Guard: the lock.</summary>
    private readonly Dictionary<int, ImageEntry[]> _blocks = [];

    /// <summary>The same blocks in the order they came. Guard: the lock.</summary>
    private readonly Queue<int> _order = [];

    public int ChunkLength(long chunk) => (int)Math.Min((ulong)footer.ChunkBytes, footer.Length - ((ulong)chunk * (ulong)footer.ChunkBytes));

    /// <summary>The entry of a chunk. Completes at once if its block is in memory.</summary>
    public ValueTask<ImageEntry> EntryAsync(long chunk, CancellationToken cancellation)
    {
        int block = (int)(chunk / ImageLayout.BlockEntries);
        return TryFind(block) is { } entries
            ? new(entries[(int)(chunk % ImageLayout.BlockEntries)])
            : LoadEntryAsync(chunk, block, cancellation);
    }

    private async ValueTask<ImageEntry> LoadEntryAsync(long chunk, int block, CancellationToken cancellation) =>
        (await LoadAsync(block, cancellation).ConfigureAwait(false))[(int)(chunk % ImageLayout.BlockEntries)];

    /// <summary>
    /// What the index says of a chunk did not lead to its contents. The checksum of a block is about the checksums in it, and not about the places: those
    /// may have come damaged, and are to be read anew.
    /// </summary>
    public void Forget(long chunk)
    {
        int block = (int)(chunk / ImageLayout.BlockEntries);
        lock (_lock)
        {
            _blocks.Remove(block);
        }

        (file as IForgetfulStore)?.Forget(root[block].Offset, root[block].StoredLength);
    }

    private ImageEntry[]? TryFind(int block)
    {
        if (root[block].Kind == ChunkKind.Zero)
        {
            return ZeroBlock;
        }

        lock (_lock)
        {
            return _blocks.GetValueOrDefault(block);
        }
    }

    private async ValueTask<ImageEntry[]> LoadAsync(int block, CancellationToken cancellation)
    {
        ImageEntry place = root[block];
        int count = CountOf(block);
        byte[] stored = ArrayPool<byte>.Shared.Rent((int)place.StoredLength);
        byte[] bytes = ArrayPool<byte>.Shared.Rent(count * ImageEntry.Size);
        try
        {
            await file.ReadExactlyAsync(place.Offset, stored.AsMemory(0, (int)place.StoredLength), cancellation).ConfigureAwait(false);
            ImageEntry[] entries = Parse(block, place, stored.AsSpan(0, (int)place.StoredLength), bytes.AsSpan(0, count * ImageEntry.Size));
            Keep(block, entries);
            return entries;
        }
        catch (ImageFormatException)
        {
            // As for chunks: the next attempt is to have the block from where it comes.
            (file as IForgetfulStore)?.Forget(place.Offset, place.StoredLength);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stored);
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>How many chunks a block is about.</summary>
    private int CountOf(int block) => (int)Math.Min(ImageLayout.BlockEntries, footer.Chunks - ((long)block * ImageLayout.BlockEntries));

    private ImageEntry[] Parse(int block, ImageEntry place, ReadOnlySpan<byte> stored, Span<byte> bytes)
    {
        if (ChunkCodec.Unpack(place.Kind, stored, bytes) is { } packing)
        {
            throw Damaged(block, packing);
        }

        var entries = new ImageEntry[bytes.Length / ImageEntry.Size];
        for (int i = 0; i < entries.Length; i++)
        {
            long chunk = ((long)block * ImageLayout.BlockEntries) + i;
            ReadOnlySpan<byte> entry = bytes.Slice(i * ImageEntry.Size, ImageEntry.Size);
            entries[i] = ImageEntry.Read(entry, ChunkLength(chunk), footer.FileLength - ImageLayout.FooterSize, out string? fault);
            if (fault is null && entries[i].Kind == ChunkKind.Inherited && footer.BaseLength == 0)
            {
                fault = "it is inherited from a base, and there is none";
            }

            if (fault is not null)
            {
                throw Damaged(block, $"chunk {chunk}: {fault}");
            }
        }

        return ImageLayout.ChecksumOf(entries) == place.Checksum ? entries : throw Damaged(block, "its checksum is wrong");
    }

    private void Keep(int block, ImageEntry[] entries)
    {
        lock (_lock)
        {
            if (_blocks.TryAdd(block, entries))
            {
                _order.Enqueue(block);
                if (_order.Count > MostBlocks)
                {
                    _blocks.Remove(_order.Dequeue());
                }
            }
        }
    }

    private ImageFormatException Damaged(int block, string fault)
    {
        ulong first = (ulong)block * ImageLayout.BlockEntries * (ulong)footer.ChunkBytes;
        ulong length = Math.Min((ulong)ImageLayout.BlockEntries * (ulong)footer.ChunkBytes, footer.Length - first);
        return new ImageFormatException(image, first, length, $"the index of them is damaged: {fault}");
    }
}
