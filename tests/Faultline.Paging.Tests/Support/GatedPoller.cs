using System;

namespace Faultline.Paging.Tests;

/// <summary>A poller that also takes <see cref="GatedUserfaultfd"/>, and may be full.</summary>
public sealed class GatedPoller(IUserfaultfdPoller inner, Func<bool> isFull) : IUserfaultfdPoller
{
    public SystemResult Add(IUserfaultfd context, long tag) =>
        isFull() ? new SystemResult(Errno.ENOSPC) : inner.Add(Unwrap(context), tag);

    public SystemResult Remove(IUserfaultfd context) => inner.Remove(Unwrap(context));

    public SystemResult<int> Wait(Span<long> ready, int timeoutMs) => inner.Wait(ready, timeoutMs);

    public void Wake() => inner.Wake();

    public void Stop() => inner.Stop();

    public void Dispose() => inner.Dispose();

    private static IUserfaultfd Unwrap(IUserfaultfd context) => context is GatedUserfaultfd gated ? gated.Inner : context;
}
