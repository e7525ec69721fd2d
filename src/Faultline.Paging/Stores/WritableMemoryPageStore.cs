using System;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Paging;

/// <summary>Bytes in memory, which take back what is written.</summary>
/// <param name="contents">The bytes; not copied.</param>
public sealed class WritableMemoryPageStore(Memory<byte> contents) : IWritablePageStore
{
    private readonly MemoryPageStore _reading = new(contents);

    /// <inheritdoc/>
    public ulong Length => (ulong)contents.Length;

    /// <inheritdoc/>
    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken) =>
        _reading.ReadAsync(offset, target, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<StoreWrite> WriteAsync(ulong offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        source.CopyTo(contents[(int)offset..]);
        return new(StoreWrite.Done);
    }

    /// <inheritdoc/>
    public void Dispose() => _reading.Dispose();
}
