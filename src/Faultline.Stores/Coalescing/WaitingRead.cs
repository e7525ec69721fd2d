using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores;

/// <summary>One caller's read, until it is answered.</summary>
internal sealed class WaitingRead(ulong offset, Memory<byte> target, CancellationToken cancellation)
{
    private readonly TaskCompletionSource<StoreRead> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the caller was doing: its requests belong to that.</summary>
    public Activity? Activity { get; } = Activity.Current;

    public ulong Offset => offset;

    public ulong End => offset + (ulong)target.Length;

    public Memory<byte> Target => target;

    public CancellationToken Cancellation => cancellation;

    public Task<StoreRead> Answer => _answer.Task;

    public void Tell(StoreRead read) => _answer.TrySetResult(read);
}
