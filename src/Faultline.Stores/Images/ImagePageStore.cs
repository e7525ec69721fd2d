using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores;

/// <summary>
/// The contents of an image of the format <c>.flt</c>, whose file may be anywhere a store can read. Opening reads its ends; a block of the index is read when a
/// chunk it describes is first wanted. Everything is checked before it is given away.
/// </summary>
public sealed class ImagePageStore : IPageStore
{
    /// <summary>What is read of the end of a file at once: the footer, and mostly the root and the base with it.</summary>
    private const int TailBytes = 64 << 10;

    private const int DecodedBytes = 4 << 20;

    private readonly IPageStore _file;
    private readonly ImageFooter _footer;
    private readonly DecodedChunks _decoded = new(DecodedBytes);

    private ImagePageStore(IPageStore file, string name, ImageFooter footer, ImageEntry[] root, ImageBase? layerOf, ImagePageStore? below)
    {
        _file = file;
        _footer = footer;
        Name = name;
        Base = layerOf;
        BaseImage = below;
        Index = new ImageIndex(file, name, footer, root);
    }

    /// <summary>The name, for messages.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public ulong Length => _footer.Length;

    /// <inheritdoc/>
    public int ReadsAtOnce => BaseImage is null ? _file.ReadsAtOnce : System.Math.Min(_file.ReadsAtOnce, BaseImage.ReadsAtOnce);

    /// <summary>The length of the file.</summary>
    public ulong FileLength => _footer.FileLength;

    /// <summary>The size of its chunks in bytes, a power of two.</summary>
    public int ChunkBytes => _footer.ChunkBytes;

    /// <summary>The number of its chunks; the last may be shorter than the others.</summary>
    public long Chunks => _footer.Chunks;

    /// <summary>What the image is known by.</summary>
    public ImageDigest Digest => _footer.Digest;

    /// <summary>The image this one is a layer on, or null.</summary>
    public ImageBase? Base { get; }

    /// <summary>The image this one is a layer on, open, or null.</summary>
    public ImagePageStore? BaseImage { get; }

    internal ImageIndex Index { get; }

    /// <summary>Opens an image. The file belongs to it from then on, and is disposed if it cannot be opened, too.</summary>
    /// <param name="file">The bytes of the file.</param>
    /// <param name="name">A name for messages.</param>
    /// <param name="openBase">Opens the base of a layer; null if layers are refused. The base belongs to the image.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ImageFormatException">It is no image, or a damaged one, or its base is not what it was.</exception>
    /// <exception cref="System.IO.IOException">The file could not be read.</exception>
    public static async Task<ImagePageStore> OpenAsync(
        IPageStore file, string name, Func<ImageBase, CancellationToken, Task<ImagePageStore>>? openBase = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentException.ThrowIfNullOrEmpty(name);
        try
        {
            return await OpenUnguardedAsync(file, name, openBase, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether a file that begins like this is an image, or means to be one.</summary>
    /// <param name="firstBytes">The first eight bytes or more.</param>
    public static bool IsImage(ReadOnlySpan<byte> firstBytes) => ImageLayout.IsImage(firstBytes);

    /// <inheritdoc/>
    public async ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        if (offset >= Length)
        {
            return StoreRead.Of(0);
        }

        target = target[..(int)Math.Min((ulong)target.Length, Length - offset)];
        try
        {
            await ReadChunksAsync(offset, target, cancellationToken).ConfigureAwait(false);
            return StoreRead.Of(target.Length);
        }
        catch (Exception cause)
        {
            return StoreRead.Failed(cause);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file.Dispose();
        BaseImage?.Dispose();
    }

    /// <summary>The checksum of a chunk's contents, wherever they are held.</summary>
    internal async ValueTask<UInt128> ChecksumAsync(long chunk, CancellationToken cancellation) =>
        (await Index.EntryAsync(chunk, cancellation).ConfigureAwait(false)).Checksum;

    private static async Task<ImagePageStore> OpenUnguardedAsync(
        IPageStore file, string name, Func<ImageBase, CancellationToken, Task<ImagePageStore>>? openBase, CancellationToken cancellation)
    {
        if (file.Length < ImageLayout.HeaderSize + ImageLayout.FooterSize)
        {
            throw new ImageFormatException(name, $"it has {file.Length} bytes, which is too short");
        }

        byte[] header = new byte[ImageLayout.HeaderSize];
        await file.ReadExactlyAsync(0, header, cancellation).ConfigureAwait(false);
        int chunkLog2 = ImageLayout.ReadHeader(header, name);
        byte[] tail = new byte[(int)Math.Min(TailBytes, file.Length)];
        ulong tailOffset = file.Length - (ulong)tail.Length;
        await file.ReadExactlyAsync(tailOffset, tail, cancellation).ConfigureAwait(false);
        var footer = ImageFooter.Read(tail.AsSpan(tail.Length - ImageLayout.FooterSize), file.Length, chunkLog2, name);

        var tailStore = new TailStore(file, tail, tailOffset);
        ImageEntry[] root = await ReadRootAsync(tailStore, footer, name, cancellation).ConfigureAwait(false);
        ImageBase? layerOf = await ReadBaseAsync(tailStore, footer, name, cancellation).ConfigureAwait(false);
        ImagePageStore? below = null;
        if (layerOf is not null)
        {
            if (openBase is null)
            {
                throw new ImageFormatException(name, $"it is a layer on '{layerOf.Name}', and layers are not expected here");
            }

            below = await openBase(layerOf, cancellation).ConfigureAwait(false);
            RequireBase(name, footer, layerOf, below);
        }

        return new ImagePageStore(file, name, footer, root, layerOf, below);
    }

    private static void RequireBase(string name, ImageFooter footer, ImageBase layerOf, ImagePageStore below)
    {
        string? fault = below.Digest != layerOf.Digest
            ? $"its base '{layerOf.Name}' has the digest {below.Digest}, and should have {layerOf.Digest}"
            : below.ChunkBytes != footer.ChunkBytes
                ? $"its base '{layerOf.Name}' has chunks of {below.ChunkBytes} bytes, and it has chunks of {footer.ChunkBytes}"
                : null;
        if (fault is not null)
        {
            below.Dispose();
            throw new ImageFormatException(name, fault);
        }
    }

    private static async Task<ImageEntry[]> ReadRootAsync(TailStore file, ImageFooter footer, string name, CancellationToken cancellation)
    {
        // The footer was checked: the root lies inside the file, so this is never more memory than the file has bytes.
        byte[] bytes = new byte[footer.RootLength];
        await file.ReadAsync(footer.RootOffset, bytes, cancellation).ConfigureAwait(false);
        var root = new ImageEntry[footer.Blocks];
        for (int block = 0; block < root.Length; block++)
        {
            int entries = (int)Math.Min(ImageLayout.BlockEntries, footer.Chunks - ((long)block * ImageLayout.BlockEntries));
            ReadOnlySpan<byte> entry = bytes.AsSpan(block * ImageEntry.Size, ImageEntry.Size);
            root[block] = ImageEntry.Read(entry, entries * ImageEntry.Size, footer.FileLength - ImageLayout.FooterSize, out string? fault);
            if (fault is null && root[block].Kind == ChunkKind.Inherited)
            {
                fault = "a block of the index cannot be inherited";
            }

            if (fault is not null)
            {
                throw new ImageFormatException(name, $"block {block} of its root is damaged: {fault}");
            }
        }

        return ImageLayout.DigestOf(footer.Length, footer.ChunkBytes, root) == footer.Digest
            ? root
            : throw new ImageFormatException(name, "its root is damaged: it does not give the image's digest");
    }

    private static async Task<ImageBase?> ReadBaseAsync(TailStore file, ImageFooter footer, string name, CancellationToken cancellation)
    {
        if (footer.BaseLength == 0)
        {
            return null;
        }

        byte[] record = new byte[footer.BaseLength];
        await file.ReadAsync(footer.BaseOffset, record, cancellation).ConfigureAwait(false);
        string path;
        try
        {
            path = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(record.AsSpan(ImageDigest.Size));
        }
        catch (ArgumentException cause)
        {
            throw new ImageFormatException(name, "the name of its base is not UTF-8", cause);
        }

        return BaseName.FindFault(path) is { } fault
            ? throw new ImageFormatException(name, $"the name of its base {fault}")
            : new ImageBase(path, new ImageDigest(record.AsSpan(0, ImageDigest.Size)));
    }

    /// <summary>Reads a range: finds where its chunks are, joins neighbours, and has all places read at once.</summary>
    private async ValueTask ReadChunksAsync(ulong offset, Memory<byte> target, CancellationToken cancellation)
    {
        long first = (long)(offset / (ulong)ChunkBytes);
        long last = (long)((offset + (ulong)target.Length - 1) / (ulong)ChunkBytes);
        List<ChunkRun>? others = null;
        ChunkRun run = default;
        for (long chunk = first; chunk <= last; chunk++)
        {
            (ImagePageStore owner, ImageEntry entry) = await FindAsync(chunk, cancellation).ConfigureAwait(false);
            if (!entry.IsStored)
            {
                PartOf(chunk, offset, target, out _).Span.Clear();
            }
            else if (run.TryJoin(owner, chunk, entry, out ChunkRun joined))
            {
                run = joined;
            }
            else
            {
                if (run.Count != 0)
                {
                    (others ??= []).Add(run);
                }

                run = new ChunkRun(owner, chunk, 1, entry.Offset, (int)entry.StoredLength);
            }
        }

        if (run.Count == 0)
        {
            return;
        }

        if (others is null)
        {
            await ReadRunAsync(run, offset, target, cancellation).ConfigureAwait(false);
            return;
        }

        // All are awaited, failed or not: none may write to the target after this returns.
        var reads = new Task[others.Count + 1];
        for (int i = 0; i < others.Count; i++)
        {
            reads[i] = ReadRunAsync(others[i], offset, target, cancellation).AsTask();
        }

        reads[^1] = ReadRunAsync(run, offset, target, cancellation).AsTask();
        await Task.WhenAll(reads).ConfigureAwait(false);
    }

    /// <summary>The image that holds a chunk's contents, and its entry there.</summary>
    private async ValueTask<(ImagePageStore Owner, ImageEntry Entry)> FindAsync(long chunk, CancellationToken cancellation)
    {
        ImagePageStore owner = this;
        ImageEntry entry = await Index.EntryAsync(chunk, cancellation).ConfigureAwait(false);
        UInt128 checksum = entry.Checksum;
        while (entry.Kind == ChunkKind.Inherited)
        {
            ImagePageStore below = owner.BaseImage!;
            if (chunk >= below.Chunks || below.Index.ChunkLength(chunk) != Index.ChunkLength(chunk))
            {
                throw Damaged(chunk, $"they are inherited from '{below.Name}', which has no such bytes");
            }

            owner = below;
            entry = await below.Index.EntryAsync(chunk, cancellation).ConfigureAwait(false);
            if (entry.Checksum != checksum)
            {
                throw Damaged(chunk, $"they are inherited from '{below.Name}', which has others");
            }
        }

        return (owner, entry);
    }

    private async ValueTask ReadRunAsync(ChunkRun run, ulong offset, Memory<byte> target, CancellationToken cancellation)
    {
        try
        {
            await ReadRunOnceAsync(run, offset, target, cancellation).ConfigureAwait(false);
        }
        catch (ImageFormatException damage) when (damage.InnerException is null)
        {
            // Whatever keeps these bytes, or their place, keeps damaged ones: the next attempt is to have them from where they come.
            (run.Owner._file as IForgetfulStore)?.Forget(run.FileOffset, (ulong)run.FileLength);
            for (long chunk = run.FirstChunk; chunk < run.FirstChunk + run.Count; chunk++)
            {
                run.Owner.Index.Forget(chunk);
            }

            throw;
        }
    }

    private async ValueTask ReadRunOnceAsync(ChunkRun run, ulong offset, Memory<byte> target, CancellationToken cancellation)
    {
        ImagePageStore owner = run.Owner;
        ImageEntry entry = await owner.Index.EntryAsync(run.FirstChunk, cancellation).ConfigureAwait(false);
        Memory<byte> part = PartOf(run.FirstChunk, offset, target, out int skipped);
        int length = Index.ChunkLength(run.FirstChunk);
        if (run.Count == 1 && part.Length != length && owner._decoded.TryCopy(run.FirstChunk, skipped, part.Span))
        {
            return;
        }

        if (run.Count == 1 && part.Length == length && entry.Kind == ChunkKind.Raw)
        {
            await ReadFileAsync(run, part, cancellation).ConfigureAwait(false);
            Require(run.FirstChunk, part.Span, entry);
            return;
        }

        byte[] stored = ArrayPool<byte>.Shared.Rent(run.FileLength);
        try
        {
            await ReadFileAsync(run, stored.AsMemory(0, run.FileLength), cancellation).ConfigureAwait(false);
            int done = 0;
            for (long chunk = run.FirstChunk; chunk < run.FirstChunk + run.Count; chunk++)
            {
                entry = await owner.Index.EntryAsync(chunk, cancellation).ConfigureAwait(false);
                Unpack(owner, chunk, entry, stored.AsSpan(done, (int)entry.StoredLength), offset, target);
                done += (int)entry.StoredLength;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stored);
        }
    }

    private async ValueTask ReadFileAsync(ChunkRun run, Memory<byte> target, CancellationToken cancellation)
    {
        try
        {
            await run.Owner._file.ReadExactlyAsync(run.FileOffset, target, cancellation).ConfigureAwait(false);
        }
        catch (Exception cause) when (cause is not OperationCanceledException)
        {
            ulong first = (ulong)run.FirstChunk * (ulong)ChunkBytes;
            ulong length = Math.Min((ulong)run.Count * (ulong)ChunkBytes, Length - first);
            throw new ImageFormatException(Name, first, length, "the file could not be read", cause.InnerException ?? cause);
        }
    }

    private void Unpack(ImagePageStore owner, long chunk, ImageEntry entry, ReadOnlySpan<byte> stored, ulong offset, Memory<byte> target)
    {
        Memory<byte> part = PartOf(chunk, offset, target, out int skipped);
        int length = Index.ChunkLength(chunk);
        if (part.Length == length)
        {
            UnpackWhole(chunk, entry, stored, part.Span);
            return;
        }

        byte[] whole = new byte[length];
        UnpackWhole(chunk, entry, stored, whole);
        whole.AsMemory(skipped, part.Length).CopyTo(part);
        owner._decoded.Keep(chunk, whole);
    }

    private void UnpackWhole(long chunk, ImageEntry entry, ReadOnlySpan<byte> stored, Span<byte> target)
    {
        if (ChunkCodec.Unpack(entry.Kind, stored, target) is { } fault)
        {
            throw Damaged(chunk, fault);
        }

        Require(chunk, target, entry);
    }

    private void Require(long chunk, ReadOnlySpan<byte> contents, ImageEntry entry)
    {
        if (ContentChecksum.Of(contents) != entry.Checksum)
        {
            throw Damaged(chunk, "their checksum is wrong");
        }
    }

    /// <summary>What of the target a chunk fills, and how much of the chunk lies before it.</summary>
    private Memory<byte> PartOf(long chunk, ulong offset, Memory<byte> target, out int skipped)
    {
        ulong first = (ulong)chunk * (ulong)ChunkBytes;
        ulong low = Math.Max(first, offset);
        ulong high = Math.Min(first + (ulong)Index.ChunkLength(chunk), offset + (ulong)target.Length);
        skipped = (int)(low - first);
        return target.Slice((int)(low - offset), (int)(high - low));
    }

    private ImageFormatException Damaged(long chunk, string fault) =>
        new(Name, (ulong)chunk * (ulong)ChunkBytes, (ulong)Index.ChunkLength(chunk), fault);
}
