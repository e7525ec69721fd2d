using System;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Paging;

/// <summary>Bytes that are in memory already.</summary>
/// <param name="contents">The bytes; not copied.</param>
public sealed class MemoryPageStore(ReadOnlyMemory<byte> contents) : IPageStore
{
    /// <inheritdoc/>
    public ulong Length => (ulong)contents.Length;

    /// <inheritdoc/>
    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        if (offset >= Length)
        {
            return new(StoreRead.Of(0));
        }

        ReadOnlyMemory<byte> source = contents[(int)offset..];
        source = source[..Math.Min(source.Length, target.Length)];
        source.CopyTo(target);
        return new(StoreRead.Of(source.Length));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The bytes belong to the caller.
    }
}
