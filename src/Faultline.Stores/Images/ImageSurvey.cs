using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores;

/// <summary>Looks over whole images: what they consist of, whether they are sound, and where two of them differ.</summary>
public static class ImageSurvey
{
    /// <summary>No list of what is wrong gets longer; the count goes on.</summary>
    private const int MostDamages = 1000;

    /// <summary>Counts the chunks of an image. Reads its index, and nothing else.</summary>
    /// <param name="image">The image.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ImageFormatException">A part of the index is damaged.</exception>
    public static async Task<ImageContents> CountAsync(ImagePageStore image, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        long[] kinds = new long[4];
        long shared = 0;
        ulong stored = 0;
        HashSet<ulong> places = [];
        for (long chunk = 0; chunk < image.Chunks; chunk++)
        {
            ImageEntry entry = await image.Index.EntryAsync(chunk, cancellationToken).ConfigureAwait(false);
            kinds[(int)entry.Kind]++;
            if (entry.IsStored && !places.Add(entry.Offset))
            {
                shared++;
            }
            else
            {
                stored += entry.StoredLength;
            }
        }

        return new ImageContents
        {
            ZeroChunks = kinds[(int)ChunkKind.Zero],
            InheritedChunks = kinds[(int)ChunkKind.Inherited],
            RawChunks = kinds[(int)ChunkKind.Raw],
            CompressedChunks = kinds[(int)ChunkKind.Zstandard],
            SharedChunks = shared,
            StoredBytes = stored,
        };
    }

    /// <summary>Reads a whole store. Of an image every chunk is checked, in the images below it too.</summary>
    /// <param name="store">The store.</param>
    /// <param name="stepBytes">How much is read at once: as fine as damage is told.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What cannot be read, the first thousand of it; nothing if all can.</returns>
    public static async Task<IReadOnlyList<ImageDamage>> VerifyAsync(
        IPageStore store, int stepBytes, IProgress<ImageProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(stepBytes);
        ConcurrentBag<ImageDamage> damages = [];
        await new BlockReads(store, progress).ForEachAsync(
            async (offset, block, token) =>
            {
                if (damages.Count < MostDamages && await TryReadAsync(store, offset, block, token).ConfigureAwait(false) is not null)
                {
                    await FindDamagesAsync(store, offset, block, stepBytes, damages, token).ConfigureAwait(false);
                }
            },
            cancellationToken).ConfigureAwait(false);
        return [.. damages.OrderBy(static damage => damage.Offset).Take(MostDamages)];
    }

    /// <summary>Reads a block again that could not be read, part by part.</summary>
    private static async ValueTask FindDamagesAsync(
        IPageStore store, ulong offset, Memory<byte> block, int stepBytes, ConcurrentBag<ImageDamage> damages, CancellationToken cancellation)
    {
        for (int done = 0; done < block.Length; done += stepBytes)
        {
            Memory<byte> part = block.Slice(done, Math.Min(stepBytes, block.Length - done));
            if (await TryReadAsync(store, offset + (ulong)done, part, cancellation).ConfigureAwait(false) is { } reason)
            {
                damages.Add(new ImageDamage(offset + (ulong)done, (ulong)part.Length, reason));
            }
        }
    }

    /// <summary>Why a part could not be read, or null.</summary>
    private static async ValueTask<string?> TryReadAsync(IPageStore store, ulong offset, Memory<byte> block, CancellationToken cancellation)
    {
        StoreRead read = await store.ReadAsync(offset, block, cancellation).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        return read.Cause is { } cause ? cause.Message
            : read.BytesRead != block.Length ? $"Only {read.BytesRead} of the bytes are there."
            : null;
    }

    /// <summary>Finds where two stores differ. Of images with chunks of one size only the indexes are read.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other. What one has more than the other differs.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="System.IO.IOException">One of them could not be read.</exception>
    public static async Task<ImageDifference> CompareAsync(
        IPageStore left, IPageStore right, IProgress<ImageProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        var images = (Left: left as ImagePageStore, Right: right as ImagePageStore);
        bool isByIndex = images.Left is not null && images.Left.ChunkBytes == images.Right?.ChunkBytes;
        int step = isByIndex ? images.Left!.ChunkBytes : 64 << 10;
        byte[] leftBlock = new byte[isByIndex ? 0 : step];
        byte[] rightBlock = new byte[isByIndex ? 0 : step];
        ulong common = Math.Min(left.Length, right.Length);
        ulong longest = Math.Max(left.Length, right.Length);
        var ranges = new DifferenceRanges();
        for (ulong offset = 0; offset < common; offset += (ulong)step)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int length = (int)Math.Min((ulong)step, common - offset);
            bool isEqual = isByIndex
                ? await HasEqualChunkAsync(images.Left!, images.Right!, (long)(offset / (ulong)step), cancellationToken).ConfigureAwait(false)
                : await HasEqualBytesAsync(left, right, offset, leftBlock.AsMemory(0, length), rightBlock.AsMemory(0, length), cancellationToken)
                    .ConfigureAwait(false);
            if (!isEqual)
            {
                ranges.Add(offset, (ulong)length);
            }

            progress?.Report(new ImageProgress(offset + (ulong)length, longest));
        }

        if (common < longest)
        {
            ranges.Add(common, longest - common);
        }

        return ranges.ToDifference(step, isByIndex);
    }

    private static async ValueTask<bool> HasEqualChunkAsync(ImagePageStore left, ImagePageStore right, long chunk, CancellationToken cancellation) =>
        left.Index.ChunkLength(chunk) == right.Index.ChunkLength(chunk)
        && await left.ChecksumAsync(chunk, cancellation).ConfigureAwait(false) == await right.ChecksumAsync(chunk, cancellation).ConfigureAwait(false);

    private static async ValueTask<bool> HasEqualBytesAsync(
        IPageStore left, IPageStore right, ulong offset, Memory<byte> leftBlock, Memory<byte> rightBlock, CancellationToken cancellation)
    {
        await left.ReadExactlyAsync(offset, leftBlock, cancellation).ConfigureAwait(false);
        await right.ReadExactlyAsync(offset, rightBlock, cancellation).ConfigureAwait(false);
        return leftBlock.Span.SequenceEqual(rightBlock.Span);
    }
}
