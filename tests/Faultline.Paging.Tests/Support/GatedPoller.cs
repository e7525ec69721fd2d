using System;

namespace Faultline.Paging.Tests;

/// <summary>A poller that also takes <see cref="GatedUserfaultfd"/>.</summary>
public sealed class GatedPoller(IUserfaultfdPoller inner) : IUserfaultfdPoller
{
    public SystemResult Add(IUserfaultfd context, long tag) => inner.Add(Unwrap(context), tag);

    public SystemResult Remove(IUserfaultfd context) => inner.Remove(Unwrap(context));

    public SystemResult<int> Wait(Span<long> ready, int timeoutMs) => inner.Wait(ready, timeoutMs);

    public void Wake() => inner.Wake();

    public void Stop() => inner.Stop();

    public void Dispose() => inner.Dispose();

    private static IUserfaultfd Unwrap(IUserfaultfd context) => context is GatedUserfaultfd gated ? gated.Inner : context;
}
