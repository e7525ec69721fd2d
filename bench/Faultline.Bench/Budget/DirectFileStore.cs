using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;
using Microsoft.Win32.SafeHandles;

namespace Faultline.Bench;

/// <summary>A file behind the page cache's back (O_DIRECT): what the pager does not keep is read from the disk again, as under plain mmap.</summary>
internal sealed unsafe class DirectFileStore : IWritablePageStore
{
    private const int SetFlags = 4;
    private const int BufferBytes = 1 << 20;

    /// <summary>The disk wants aligned memory, and the callers' is not.</summary>
    private readonly ThreadLocal<nint> _buffers = new(static () => (nint)NativeMemory.AlignedAlloc(BufferBytes, (nuint)PageSize.Small), trackAllValues: true);

    private readonly SafeFileHandle _file;

    public DirectFileStore(string path)
    {
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Length = (ulong)RandomAccess.GetLength(_file);
        int direct = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 0x4000 : 0x10000;
        if (NativeSymbols.FileControl((int)_file.DangerousGetHandle(), SetFlags, direct) != 0)
        {
            _file.Dispose();
            throw new BenchmarkException($"The file system of {path} has no O_DIRECT. Set TMPDIR to a directory on a disk.");
        }
    }

    public ulong Length { get; }

    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        Span<byte> buffer = new((void*)_buffers.Value, target.Length);
        int read = RandomAccess.Read(_file, buffer, (long)offset);
        buffer[..read].CopyTo(target.Span);
        return new(StoreRead.Of(read));
    }

    public ValueTask<StoreWrite> WriteAsync(ulong offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        Span<byte> buffer = new((void*)_buffers.Value, source.Length);
        source.Span.CopyTo(buffer);
        RandomAccess.Write(_file, buffer, (long)offset);
        return new(StoreWrite.Done);
    }

    public void Dispose()
    {
        _file.Dispose();
        foreach (nint buffer in _buffers.Values)
        {
            NativeMemory.AlignedFree((void*)buffer);
        }

        _buffers.Dispose();
    }
}
