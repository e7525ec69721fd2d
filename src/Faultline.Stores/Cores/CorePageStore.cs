using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores;

/// <summary>
/// The memory in an ELF core dump of a 64-bit little-endian process: its PT_LOAD segments, one after another in the order of the file, each from the start of a
/// page. See elf(5) and core(5).
/// </summary>
public sealed class CorePageStore : IPageStore
{
    private const int HeaderBytes = 64;
    private const int ProgramHeaderBytes = 56;
    private const int SectionHeaderBytes = 64;
    private const ushort CoreType = 4;
    private const uint LoadType = 1;

    /// <summary>PN_XNUM: there are more program headers than the field can say; the first section header has their number.</summary>
    private const ushort ManyHeaders = 0xffff;

    private readonly IPageStore _file;
    private readonly CoreSegment[] _segments;

    private CorePageStore(IPageStore file, CoreSegment[] segments)
    {
        _file = file;
        _segments = segments;
        Length = segments[^1].ImageOffset + PageCount.FromBytes(segments[^1].Length).Bytes;
    }

    /// <inheritdoc/>
    public ulong Length { get; }

    /// <inheritdoc/>
    public int ReadsAtOnce => _file.ReadsAtOnce;

    /// <summary>What the dump holds, in the order of the image.</summary>
    public IReadOnlyList<CoreSegment> Segments => _segments;

    /// <summary>Whether a file that begins like this is a core dump.</summary>
    /// <param name="firstBytes">The first bytes of the file, 18 or more.</param>
    public static bool IsCore(ReadOnlySpan<byte> firstBytes) =>
        firstBytes.Length >= 18
        && firstBytes.StartsWith("\u007fELF"u8)
        && BinaryPrimitives.ReadUInt16LittleEndian(firstBytes[16..]) == CoreType;

    /// <summary>Opens a core dump. The file belongs to it from then on, and is disposed if it cannot be opened, too.</summary>
    /// <param name="file">The bytes of the file.</param>
    /// <param name="name">A name for messages.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ImageFormatException">It is no core dump, or one that cannot be used.</exception>
    /// <exception cref="System.IO.IOException">The file could not be read.</exception>
    public static async Task<CorePageStore> OpenAsync(IPageStore file, string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentException.ThrowIfNullOrEmpty(name);
        try
        {
            return new CorePageStore(file, await ReadSegmentsAsync(file, name, cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        if (offset >= Length)
        {
            return StoreRead.Of(0);
        }

        target = target[..(int)Math.Min((ulong)target.Length, Length - offset)];
        int done = 0;
        while (done < target.Length)
        {
            ulong position = offset + (ulong)done;
            CoreSegment segment = _segments[Find(position)];
            ulong inSegment = position - segment.ImageOffset;
            bool isInFile = inSegment < segment.FileLength;
            ulong end = isInFile ? segment.FileLength : PageCount.FromBytes(segment.Length).Bytes;
            Memory<byte> part = target.Slice(done, (int)Math.Min((ulong)(target.Length - done), end - inSegment));
            if (!isInFile)
            {
                part.Span.Clear();
            }
            else
            {
                StoreRead read = await _file.ReadAsync(segment.FileOffset + inSegment, part, cancellationToken).ConfigureAwait(false);
                if (!read.IsOk || read.BytesRead != part.Length)
                {
                    return read.IsOk ? StoreRead.Failed(new System.IO.EndOfStreamException("The core dump became shorter while it was read.")) : read;
                }
            }

            done += part.Length;
        }

        return StoreRead.Of(target.Length);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static async Task<CoreSegment[]> ReadSegmentsAsync(IPageStore file, string name, CancellationToken cancellation)
    {
        if (file.Length < HeaderBytes)
        {
            throw new ImageFormatException(name, "it is too short for a core dump");
        }

        byte[] header = new byte[HeaderBytes];
        await file.ReadExactlyAsync(0, header, cancellation).ConfigureAwait(false);
        if (!IsCore(header) || header[4] != 2 || header[5] != 1)
        {
            throw new ImageFormatException(name, "it is not a core dump of a 64-bit little-endian process");
        }

        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(32));
        int size = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(54));
        ulong count = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(56));
        if (count == ManyHeaders)
        {
            count = await ReadLargeCountAsync(file, BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(40)), name, cancellation).ConfigureAwait(false);
        }

        ulong bytes = count * ProgramHeaderBytes;
        if (size != ProgramHeaderBytes || offset > file.Length || bytes > file.Length - offset || bytes > (ulong)Array.MaxLength)
        {
            throw new ImageFormatException(name, $"its {count} program headers of {size} bytes at {offset} do not fit into the file");
        }

        byte[] headers = new byte[bytes];
        await file.ReadExactlyAsync(offset, headers, cancellation).ConfigureAwait(false);
        List<CoreSegment> segments = [];
        ulong place = 0;
        for (int i = 0; i < headers.Length; i += ProgramHeaderBytes)
        {
            if (ReadSegment(headers.AsSpan(i, ProgramHeaderBytes), place, file.Length, name) is { } segment)
            {
                segments.Add(segment);
                place += PageCount.FromBytes(segment.Length).Bytes;
            }
        }

        return segments.Count != 0 ? [.. segments] : throw new ImageFormatException(name, "it holds no memory");
    }

    private static CoreSegment? ReadSegment(ReadOnlySpan<byte> header, ulong place, ulong fileLength, string name)
    {
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(header[40..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != LoadType || length == 0)
        {
            return null;
        }

        var segment = new CoreSegment(
            BinaryPrimitives.ReadUInt64LittleEndian(header[16..]),
            place,
            length,
            BinaryPrimitives.ReadUInt64LittleEndian(header[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(header[32..]));
        bool fits = segment.FileLength <= length && segment.FileOffset <= fileLength && segment.FileLength <= fileLength - segment.FileOffset;
        if (!fits || length > ImageLayout.LargestImage - place)
        {
            throw new ImageFormatException(
                name, $"its segment at 0x{segment.Address:x} has {segment.FileLength} of {length} bytes at {segment.FileOffset} of the file's {fileLength}");
        }

        return segment;
    }

    private static async Task<ulong> ReadLargeCountAsync(IPageStore file, ulong sections, string name, CancellationToken cancellation)
    {
        if (sections > file.Length || file.Length - sections < SectionHeaderBytes)
        {
            throw new ImageFormatException(name, "its first section header, which has the number of its segments, lies outside of the file");
        }

        byte[] section = new byte[SectionHeaderBytes];
        await file.ReadExactlyAsync(sections, section, cancellation).ConfigureAwait(false);
        return BinaryPrimitives.ReadUInt32LittleEndian(section.AsSpan(44));
    }

    private int Find(ulong position)
    {
        int low = 0;
        int high = _segments.Length - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_segments[middle].ImageOffset <= position)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return low;
    }
}
