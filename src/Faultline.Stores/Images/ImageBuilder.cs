using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Microsoft.Win32.SafeHandles;

namespace Faultline.Stores;

/// <summary>Makes images from anything that can be read: new ones, layers of what differs from a base, and images moved from one base to another.</summary>
public static class ImageBuilder
{
    private const int BlockBytes = 4 << 20;

    /// <summary>Copies a store into an image. With a base the image is a layer that holds what differs.</summary>
    /// <param name="source">What to copy. An image gives an image of the same digest, if the chunk size stays.</param>
    /// <param name="path">Where the image shall be.</param>
    /// <param name="options">How it is written.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellationToken">Gives up, and leaves nothing.</param>
    /// <exception cref="IOException">The source could not be read, or the file not written.</exception>
    public static async Task<ImageWritten> CreateAsync(
        IPageStore source, string path, ImageWriterOptions options, IProgress<ImageProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        using var writer = new ImageWriter(path, options);
        var reads = new BlockReads(source, progress);
        await reads.ForEachInOrderAsync((_, block) => writer.AppendAsync(block, cancellationToken), cancellationToken).ConfigureAwait(false);
        return await writer.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes a layer of what is known to have changed: the rest is the base's, and is not read.</summary>
    /// <param name="source">What the layer shall show. Outside <paramref name="changed"/> it is the same as the base; nobody checks that.</param>
    /// <param name="changed">Where it may differ from the base, in any order.</param>
    /// <param name="path">Where the layer shall be.</param>
    /// <param name="options">How it is written, and its base.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellationToken">Gives up, and leaves nothing.</param>
    /// <exception cref="ArgumentException">There is no base.</exception>
    /// <exception cref="IOException">The source could not be read, or the file not written.</exception>
    public static async Task<ImageWritten> CreateLayerAsync(
        IPageStore source,
        IEnumerable<ImageRange> changed,
        string path,
        ImageWriterOptions options,
        IProgress<ImageProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(changed);
        ArgumentNullException.ThrowIfNull(options);
        ImagePageStore below = options.Base ?? throw new ArgumentException($"A layer needs a base: set {nameof(ImageWriterOptions)}.{nameof(ImageWriterOptions.Base)}.", nameof(options));
        using var writer = new ImageWriter(path, options);
        byte[] block = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            foreach ((ulong run, bool isChanged) in ChangedChunks.Of(source.Length, below, changed))
            {
                if (!isChanged)
                {
                    await writer.AppendInheritedAsync(run, cancellationToken).ConfigureAwait(false);
                    progress?.Report(new ImageProgress(writer.Length, source.Length));
                    continue;
                }

                for (ulong end = writer.Length + run; writer.Length < end;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    int length = (int)Math.Min(BlockBytes, end - writer.Length);
                    await source.ReadExactlyAsync(writer.Length, block.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
                    await writer.AppendAsync(block.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
                    progress?.Report(new ImageProgress(writer.Length, source.Length));
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }

        return await writer.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Writes a snapshot: as a layer of what it says has changed, if there is a base and it says so; else all of it is read, and compared with the base if
    /// there is one. The base must be what the snapshot is a change of: for a clone's the image the pager serves, for a tracker's the layer before.
    /// </summary>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="path">Where the image shall be.</param>
    /// <param name="options">How it is written.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellationToken">Gives up, and leaves nothing.</param>
    /// <exception cref="IOException">The memory could not be read, or the file not written.</exception>
    public static async Task<ImageWritten> CreateAsync(
        MemorySnapshot snapshot,
        string path,
        ImageWriterOptions options,
        IProgress<ImageProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(options);
        ImageWritten written;
        if (options.Base is null || snapshot.Changed is not { } changed)
        {
            written = await CreateAsync((IPageStore)snapshot, path, options, progress, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            IEnumerable<ImageRange> ranges = changed.Select(range => new ImageRange(range.Start - snapshot.Range.Start, range.Length));
            written = await CreateLayerAsync(snapshot, ranges, path, options, progress, cancellationToken).ConfigureAwait(false);
        }

        snapshot.Accept();
        return written;
    }

    /// <summary>Copies a store into an ordinary file, with holes where it is zero. The file appears when it is whole.</summary>
    /// <param name="source">What to copy.</param>
    /// <param name="path">Where the file shall be.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellationToken">Gives up, and leaves nothing.</param>
    /// <exception cref="IOException">The source could not be read, or the file not written.</exception>
    public static async Task ExtractAsync(
        IPageStore source, string path, IProgress<ImageProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        string full = Path.GetFullPath(path);
        string temporary = Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Path.GetRandomFileName()}.tmp");
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                file.SetLength((long)source.Length);
                await new BlockReads(source, progress).ForEachAsync(
                    async (offset, block, token) =>
                    {
                        await source.ReadExactlyAsync(offset, block, token).ConfigureAwait(false);
                        WriteSparse(file.SafeFileHandle, offset, block.Span);
                    },
                    cancellationToken).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Writes what is not zero, in runs of pages.</summary>
    private static void WriteSparse(SafeFileHandle file, ulong offset, ReadOnlySpan<byte> block)
    {
        const int Step = 4096;
        for (int start = 0; start < block.Length;)
        {
            int end = start;
            while (end < block.Length && block[end..Math.Min(block.Length, end + Step)].ContainsAnyExcept((byte)0))
            {
                end = Math.Min(block.Length, end + Step);
            }

            if (end != start)
            {
                RandomAccess.Write(file, block[start..end], (long)offset + start);
            }

            start = end + Step;
        }
    }
}
