using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Win32.SafeHandles;

namespace Faultline.Paging;

/// <summary>The bytes of any file, read with pread(2). Completes synchronously.</summary>
public sealed class FilePageStore : IPageStore
{
    private readonly SafeFileHandle _file;

    /// <summary>Opens a file for reading.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public FilePageStore(string path)
        : this(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess))
    {
    }

    /// <summary>Takes over an open file.</summary>
    /// <param name="file">The file; closed with the store.</param>
    public FilePageStore(SafeFileHandle file)
    {
        ArgumentNullException.ThrowIfNull(file);
        _file = file;
        Length = (ulong)RandomAccess.GetLength(file);
    }

    /// <inheritdoc/>
    public ulong Length { get; }

    /// <inheritdoc/>
    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        try
        {
            Span<byte> rest = target.Span;
            while (!rest.IsEmpty)
            {
                int read = RandomAccess.Read(_file, rest, (long)offset + (target.Length - rest.Length));
                if (read == 0)
                {
                    break;
                }

                rest = rest[read..];
            }

            return new(StoreRead.Of(target.Length - rest.Length));
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or ObjectDisposedException or ArgumentException)
        {
            return new(StoreRead.Failed(cause));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
