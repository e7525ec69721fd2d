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
        if (!TrySetDirect(_file))
        {
            _file.Dispose();
            throw new BenchmarkException(NoDirect(path));
        }
    }

    public ulong Length { get; }

    /// <summary>Why temporary files can't be opened so; null if they can.</summary>
    public static string? WhyNot()
    {
        string path = Path.GetTempFileName();
        try
        {
            using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
            return TrySetDirect(file) ? null : NoDirect(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        Span<byte> buffer = new Span<byte>((void*)_buffers.Value, BufferBytes)[..target.Length];
        int read = RandomAccess.Read(_file, buffer, (long)offset);
        buffer[..read].CopyTo(target.Span);
        return new(StoreRead.Of(read));
    }

    public ValueTask<StoreWrite> WriteAsync(ulong offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        Span<byte> buffer = new Span<byte>((void*)_buffers.Value, BufferBytes)[..source.Length];
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

    private static bool TrySetDirect(SafeFileHandle file)
    {
        int direct = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 0x4000 : 0x10000;
        return NativeSymbols.FileControl((int)file.DangerousGetHandle(), SetFlags, direct) == 0;
    }

    private static string NoDirect(string path) => $"The file system of {path} has no O_DIRECT. Set TMPDIR to a directory on a disk.";
}
