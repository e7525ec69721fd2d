using System;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>A store that says how many reads it works on at a time, and takes a while for each.</summary>
internal sealed class LimitedStore(IPageStore inner, int readsAtOnce, TimeSpan latency) : IPageStore
{
    /// <inheritdoc/>
    public ulong Length => inner.Length;

    /// <inheritdoc/>
    public int ReadsAtOnce => readsAtOnce;

    /// <inheritdoc/>
    public ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken) =>
        latency == TimeSpan.Zero ? inner.ReadAsync(offset, target, cancellationToken) : new(ReadLaterAsync(offset, target, cancellationToken));

    /// <inheritdoc/>
    public void Dispose() => inner.Dispose();

    private async Task<StoreRead> ReadLaterAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        await Task.Delay(latency, cancellationToken).ConfigureAwait(false);
        return await inner.ReadAsync(offset, target, cancellationToken).ConfigureAwait(false);
    }
}
