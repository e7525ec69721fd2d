using System;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Paging;

/// <summary>Zeroes: an image that starts empty.</summary>
/// <param name="length">The number of bytes.</param>
public sealed class ZeroPageStore(ulong length) : IPageStore
{
    /// <inheritdoc/>
    public ulong Length { get; } = length;

    /// <inheritdoc/>
    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        int bytes = (int)Math.Min((ulong)target.Length, offset < Length ? Length - offset : 0);
        target.Span[..bytes].Clear();
        return new(StoreRead.Of(bytes));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held.
    }
}
