using System;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>A store whose every answer takes a while, however many are asked for at a time, as one across a network does.</summary>
internal sealed class LateStore(ulong length, TimeSpan latency) : IPageStore
{
    /// <inheritdoc/>
    public ulong Length => length;

    /// <inheritdoc/>
    public async ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        await Task.Delay(latency, cancellationToken).ConfigureAwait(false);
        target.Span.Fill((byte)(1 + (offset >> 16)));
        return StoreRead.Of(target.Length);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Holds nothing.
    }
}
