using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Stores;

/// <summary>
/// Writes an image from its first byte to its last. Nothing is at the path until <see cref="CommitAsync"/>, and then all of it: whoever is stopped before, or finds
/// the disk full, leaves what was there. Used by one caller at a time.
/// </summary>
public sealed class ImageWriter : IDisposable
{
    private static readonly ParallelOptions Packing = new() { MaxDegreeOfParallelism = Environment.ProcessorCount };

    private readonly ImageWriterOptions _options;
    private readonly ImageFileWriter _file;
    private readonly int _chunkBytes;
    private readonly ulong _baseChunks;

    /// <summary>The chunks being filled, and how many of them are full.</summary>
    private readonly PendingChunk[] _pending;
    private readonly UInt128[] _inherited;
    private int _full;
    private int _inCurrent;

    /// <summary>Begins an image.</summary>
    /// <param name="path">Where it shall be; what is there is replaced at the end.</param>
    /// <param name="options">How it is written; null for the defaults.</param>
    /// <exception cref="ArgumentException">The options make no sense; the message says why.</exception>
    /// <exception cref="IOException">No file can be made beside the path.</exception>
    public ImageWriter(string path, ImageWriterOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _options = options ?? new ImageWriterOptions();
        _options.Validate();
        _chunkBytes = _options.EffectiveChunkBytes;
        _baseChunks = (ulong)(_options.Base?.Chunks ?? 0);
        int pending = Math.Clamp((4 << 20) / _chunkBytes, 1, 4 * Environment.ProcessorCount);
        _pending = new PendingChunk[pending];
        _inherited = new UInt128[pending];
        for (int i = 0; i < pending; i++)
        {
            _pending[i] = new PendingChunk(_chunkBytes);
        }

        _file = new ImageFileWriter(path, _chunkBytes);
    }

    /// <summary>The bytes appended so far.</summary>
    public ulong Length { get; private set; }

    /// <summary>Appends bytes.</summary>
    /// <param name="bytes">The bytes; copied.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">The file could not be written, or the base not read. The image cannot be finished.</exception>
    public async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default)
    {
        RequireRoom((ulong)bytes.Length);
        while (!bytes.IsEmpty)
        {
            int taken = Math.Min(bytes.Length, _chunkBytes - _inCurrent);
            bytes[..taken].CopyTo(_pending[_full].Contents.AsMemory(_inCurrent));
            bytes = bytes[taken..];
            Length += (ulong)taken;
            await AdvanceAsync(taken, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Appends zeroes. Whole chunks of them cost neither time nor room.</summary>
    /// <param name="length">How many.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">The file could not be written, or the base not read. The image cannot be finished.</exception>
    public async ValueTask AppendZeroesAsync(ulong length, CancellationToken cancellationToken = default)
    {
        RequireRoom(length);
        while (length != 0)
        {
            if (_inCurrent == 0 && length >= (ulong)_chunkBytes)
            {
                await FlushAsync(cancellationToken).ConfigureAwait(false);
                for (; length >= (ulong)_chunkBytes; length -= (ulong)_chunkBytes)
                {
                    _file.AddZero();
                    Length += (ulong)_chunkBytes;
                }

                continue;
            }

            int taken = (int)Math.Min(length, (ulong)(_chunkBytes - _inCurrent));
            _pending[_full].Contents.AsSpan(_inCurrent, taken).Clear();
            length -= (ulong)taken;
            Length += (ulong)taken;
            await AdvanceAsync(taken, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Appends what the base has at this place, without reading it. Begins at the start of a chunk, and ends at the end of one or
    /// of the base.</summary>
    /// <param name="length">How many bytes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidOperationException">There is no base, or it has no such bytes, or they are not whole chunks.</exception>
    /// <exception cref="IOException">The file could not be written, or the base not read. The image cannot be finished.</exception>
    public async ValueTask AppendInheritedAsync(ulong length, CancellationToken cancellationToken = default)
    {
        RequireRoom(length);
        ImagePageStore below = _options.Base ?? throw new InvalidOperationException($"{nameof(AppendInheritedAsync)}: the image has no base. Set {nameof(ImageWriterOptions)}.{nameof(ImageWriterOptions.Base)}.");
        ulong end = Length + length;
        if (_inCurrent != 0 || end > below.Length || (end % (ulong)_chunkBytes != 0 && end != below.Length))
        {
            throw new InvalidOperationException(
                $"Bytes 0x{Length:x} to 0x{end:x} are not whole chunks of {_chunkBytes} bytes of the base, which has 0x{below.Length:x}.");
        }

        await FlushAsync(cancellationToken).ConfigureAwait(false);
        while (Length < end)
        {
            UInt128 checksum = await below.ChecksumAsync((long)(Length / (ulong)_chunkBytes), cancellationToken).ConfigureAwait(false);
            if (checksum == 0)
            {
                _file.AddZero();
            }
            else
            {
                _file.AddInherited(checksum);
            }

            Length = Math.Min(end, Length + (ulong)_chunkBytes);
        }
    }

    /// <summary>Ends the image: writes its index, has it all on the disk, and puts it in its place in one step.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidOperationException">The image is empty.</exception>
    /// <exception cref="IOException">The file could not be written.</exception>
    public async ValueTask<ImageWritten> CommitAsync(CancellationToken cancellationToken = default)
    {
        if (Length == 0)
        {
            throw new InvalidOperationException("An image has at least one byte.");
        }

        await FlushAsync(cancellationToken).ConfigureAwait(false);
        ImageBase? layerOf = _options.Base is { } below ? new ImageBase(_options.BaseName!, below.Digest) : null;
        ImageDigest digest = _file.Commit(Length, layerOf);
        return new ImageWritten
        {
            Digest = digest,
            Length = Length,
            FileLength = _file.FileBytes,
            ChunkBytes = _chunkBytes,
            ZeroChunks = _file.ZeroChunks,
            InheritedChunks = _file.InheritedChunks,
            StoredChunks = _file.StoredChunks,
            SharedChunks = _file.SharedChunks,
        };
    }

    /// <summary>Takes the file away again, unless the image was ended.</summary>
    public void Dispose()
    {
        foreach (PendingChunk chunk in _pending)
        {
            chunk.Dispose();
        }

        _file.Dispose();
    }

    private async ValueTask AdvanceAsync(int taken, CancellationToken cancellation)
    {
        _inCurrent += taken;
        if (_inCurrent == _chunkBytes)
        {
            _pending[_full++].Length = _chunkBytes;
            _inCurrent = 0;
            if (_full == _pending.Length)
            {
                await FlushAsync(cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Packs what is pending on all processors, and writes it in order.</summary>
    private async ValueTask FlushAsync(CancellationToken cancellation)
    {
        int count = _full;
        ulong first = (Length - (ulong)_inCurrent - ((ulong)_full * (ulong)_chunkBytes)) / (ulong)_chunkBytes;
        if (_inCurrent != 0)
        {
            // The last chunk of the image: nothing follows it.
            _pending[count++].Length = _inCurrent;
        }

        for (int i = 0; i < count; i++)
        {
            _inherited[i] = await InheritableAsync(first + (ulong)i, _pending[i].Length, cancellation).ConfigureAwait(false);
        }

        if (count == 1)
        {
            Pack(0);
        }
        else
        {
            Parallel.For(0, count, Packing, Pack);
        }

        for (int i = 0; i < count; i++)
        {
            _file.Add(_pending[i]);
        }

        _full = 0;
        _inCurrent = 0;
    }

    private void Pack(int index) => _pending[index].Pack(_options.Compression, _options.CompressionLevel, _inherited[index], _file.IsKnown);

    /// <summary>The checksum of the base's chunk at a place, or zero if it has none of that length there.</summary>
    private async ValueTask<UInt128> InheritableAsync(ulong chunk, int length, CancellationToken cancellation) =>
        chunk < _baseChunks && _options.Base!.Index.ChunkLength((long)chunk) == length
            ? await _options.Base.ChecksumAsync((long)chunk, cancellation).ConfigureAwait(false)
            : UInt128.Zero;

    private void RequireRoom(ulong length)
    {
        if ((Length - (ulong)_inCurrent) % (ulong)_chunkBytes != 0)
        {
            throw new InvalidOperationException("The last chunk was shorter than the others, so nothing can follow it.");
        }

        if (length > ImageLayout.LargestImage - Length)
        {
            throw new InvalidOperationException($"{length} bytes more than {Length} are over the 8 TiB that an image can have.");
        }
    }
}
