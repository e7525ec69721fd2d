using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using ZstdSharp;

namespace Faultline.Stores;

/// <summary>
/// Writes the file of an image from front to back, beside the place where it shall be, and moves it there when it is whole and on the disk. Until then, and if
/// anything stops before, the place holds what it held.
/// </summary>
internal sealed class ImageFileWriter : IDisposable
{
    private readonly string _path;
    private readonly string _temporary;
    private readonly FileStream _file;
    private readonly int _chunkBytes;

    /// <summary>The entries of the block being filled.</summary>
    private readonly List<ImageEntry> _block = new(ImageLayout.BlockEntries);
    private readonly List<ImageEntry> _root = [];

    /// <summary>Where each content that is in the file is.</summary>
    private readonly Dictionary<UInt128, ImageEntry> _places = [];
    private readonly Compressor _indexCompressor = new(3);
    private ulong _position;
    private bool _isCommitted;

    public ImageFileWriter(string path, int chunkBytes)
    {
        _path = Path.GetFullPath(path);
        _chunkBytes = chunkBytes;
        _temporary = Path.Combine(Path.GetDirectoryName(_path)!, $".{Path.GetFileName(_path)}.{Path.GetRandomFileName()}.tmp");
        _file = new FileStream(_temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 20);
        Span<byte> header = stackalloc byte[ImageLayout.HeaderSize];
        ImageLayout.WriteHeader(header, chunkBytes);
        Write(header);
    }

    /// <summary>The chunks of each kind so far; those stored once before count as shared.</summary>
    public long ZeroChunks { get; private set; }

    public long InheritedChunks { get; private set; }

    public long StoredChunks { get; private set; }

    public long SharedChunks { get; private set; }

    public ulong FileBytes => _position;

    public bool IsKnown(UInt128 checksum) => _places.ContainsKey(checksum);

    public void AddZero()
    {
        ZeroChunks++;
        AddEntry(default);
    }

    public void AddInherited(UInt128 checksum)
    {
        InheritedChunks++;
        AddEntry(new ImageEntry(ChunkKind.Inherited, 0, 0, checksum));
    }

    public void Add(PendingChunk chunk)
    {
        switch (chunk.Kind)
        {
            case ChunkKind.Zero:
                AddZero();
                return;
            case ChunkKind.Inherited:
                AddInherited(chunk.Checksum);
                return;
        }

        if (_places.TryGetValue(chunk.Checksum, out ImageEntry place))
        {
            SharedChunks++;
            AddEntry(place);
            return;
        }

        var entry = new ImageEntry(chunk.Kind, _position, (uint)chunk.Stored.Length, chunk.Checksum);
        Write(chunk.Stored.Span);
        _places.Add(chunk.Checksum, entry);
        StoredChunks++;
        AddEntry(entry);
    }

    /// <summary>Writes the index and the footer, has everything on the disk, and moves the file to its place.</summary>
    public ImageDigest Commit(ulong length, ImageBase? layerOf)
    {
        if (_block.Count != 0)
        {
            EndBlock();
        }

        ulong baseOffset = 0;
        byte[] record = [];
        if (layerOf is not null)
        {
            record = new byte[ImageDigest.Size + Encoding.UTF8.GetByteCount(layerOf.Name)];
            layerOf.Digest.CopyTo(record);
            Encoding.UTF8.GetBytes(layerOf.Name, record.AsSpan(ImageDigest.Size));
            baseOffset = _position;
            Write(record);
        }

        ulong rootOffset = _position;
        Span<byte> bytes = stackalloc byte[ImageEntry.Size];
        foreach (ImageEntry entry in _root)
        {
            entry.Write(bytes);
            Write(bytes);
        }

        var footer = new ImageFooter
        {
            Length = length,
            FileLength = _position + ImageLayout.FooterSize,
            RootOffset = rootOffset,
            BaseOffset = baseOffset,
            BaseLength = (uint)record.Length,
            ChunkBytes = _chunkBytes,
            Digest = ImageLayout.DigestOf(length, _chunkBytes, CollectionsMarshal.AsSpan(_root)),
        };
        Span<byte> last = stackalloc byte[ImageLayout.FooterSize];
        footer.Write(last);
        Write(last);
        _file.Flush(flushToDisk: true);
        File.Move(_temporary, _path, overwrite: true);
        _isCommitted = true;
        return footer.Digest;
    }

    public void Dispose()
    {
        _indexCompressor.Dispose();
        try
        {
            _file.Dispose();
        }
        finally
        {
            if (!_isCommitted)
            {
                File.Delete(_temporary);
            }
        }
    }

    private void AddEntry(ImageEntry entry)
    {
        _block.Add(entry);
        if (_block.Count == ImageLayout.BlockEntries)
        {
            EndBlock();
        }
    }

    private void EndBlock()
    {
        ReadOnlySpan<ImageEntry> block = CollectionsMarshal.AsSpan(_block);
        UInt128 checksum = ImageLayout.ChecksumOf(block);
        if (checksum == 0)
        {
            _root.Add(default);
            _block.Clear();
            return;
        }

        byte[] bytes = new byte[block.Length * ImageEntry.Size];
        for (int i = 0; i < block.Length; i++)
        {
            block[i].Write(bytes.AsSpan(i * ImageEntry.Size));
        }

        byte[] packed = new byte[bytes.Length - 1];
        bool isSmaller = _indexCompressor.TryWrap(bytes, packed, out int length);
        ReadOnlySpan<byte> stored = isSmaller ? packed.AsSpan(0, length) : bytes;
        _root.Add(new ImageEntry(isSmaller ? ChunkKind.Zstandard : ChunkKind.Raw, _position, (uint)stored.Length, checksum));
        Write(stored);
        _block.Clear();
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _file.Write(bytes);
        _position += (ulong)bytes.Length;
    }
}
