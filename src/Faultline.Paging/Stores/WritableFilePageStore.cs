using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Win32.SafeHandles;

namespace Faultline.Paging;

/// <summary>The bytes of any file, read with pread(2) and written with pwrite(2). Completes synchronously; does not call fsync(2).</summary>
public sealed class WritableFilePageStore : IWritablePageStore
{
    private readonly SafeFileHandle _file;
    private readonly FilePageStore _reading;

    /// <summary>Opens a file for reading and writing.</summary>
    /// <param name="path">The file; its length stays as it is.</param>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public WritableFilePageStore(string path)
    {
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess);
        _reading = new FilePageStore(_file);
    }

    /// <inheritdoc/>
    public ulong Length => _reading.Length;

    /// <inheritdoc/>
    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken) =>
        _reading.ReadAsync(offset, target, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<StoreWrite> WriteAsync(ulong offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        try
        {
            RandomAccess.Write(_file, source.Span, (long)offset);
            return new(StoreWrite.Done);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or ObjectDisposedException or ArgumentException)
        {
            return new(StoreWrite.Failed(cause));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _reading.Dispose();
}
