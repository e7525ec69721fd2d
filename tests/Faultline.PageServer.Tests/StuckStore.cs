using System;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.PageServer.Tests;

/// <summary>A store that takes a read and answers only when nobody waits for it any more.</summary>
internal sealed class StuckStore(ulong length) : IPageStore
{
    /// <summary>Set when the store was asked.</summary>
    public ManualResetEventSlim Asked { get; } = new(initialState: false);

    public ulong Length => length;

    public async ValueTask<StoreRead> ReadAsync(ulong offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        Asked.Set();
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        return StoreRead.Of(0);
    }

    public void Dispose() => Asked.Dispose();
}
