using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

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
        await ForEachBlockAsync(source, (_, block) => writer.AppendAsync(block, cancellationToken), progress, cancellationToken).ConfigureAwait(false);
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
        ImagePageStore below = options.Base ?? throw new ArgumentException("A layer needs a base.", nameof(options));
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
                await ForEachBlockAsync(source, (offset, block) => WriteSparseAsync(file, offset, block), progress, cancellationToken).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static ValueTask WriteSparseAsync(FileStream file, ulong offset, ReadOnlyMemory<byte> block)
    {
        const int Step = 4096;
        for (int done = 0; done < block.Length; done += Step)
        {
            ReadOnlySpan<byte> page = block.Span[done..Math.Min(block.Length, done + Step)];
            if (page.ContainsAnyExcept((byte)0))
            {
                RandomAccess.Write(file.SafeFileHandle, page, (long)offset + done);
            }
        }

        return default;
    }

    private static async Task ForEachBlockAsync(
        IPageStore source, Func<ulong, ReadOnlyMemory<byte>, ValueTask> visit, IProgress<ImageProgress>? progress, CancellationToken cancellation)
    {
        byte[] block = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            for (ulong offset = 0; offset < source.Length;)
            {
                cancellation.ThrowIfCancellationRequested();
                int length = (int)Math.Min(BlockBytes, source.Length - offset);
                await source.ReadExactlyAsync(offset, block.AsMemory(0, length), cancellation).ConfigureAwait(false);
                await visit(offset, block.AsMemory(0, length)).ConfigureAwait(false);
                offset += (ulong)length;
                progress?.Report(new ImageProgress(offset, source.Length));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }
}
