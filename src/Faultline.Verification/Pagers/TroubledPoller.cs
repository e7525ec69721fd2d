using System;

namespace Faultline.Verification.Pagers;

/// <summary>A poller that also takes <see cref="TroubledUserfaultfd"/>.</summary>
internal sealed class TroubledPoller(IUserfaultfdPoller inner) : IUserfaultfdPoller
{
    public SystemResult Add(IUserfaultfd context, long tag) => inner.Add(Unwrap(context), tag);

    public SystemResult Remove(IUserfaultfd context) => inner.Remove(Unwrap(context));

    public SystemResult<int> Wait(Span<long> ready, int timeoutMs) => inner.Wait(ready, timeoutMs);

    public void Wake() => inner.Wake();

    public void Stop() => inner.Stop();

    public void Dispose() => inner.Dispose();

    private static IUserfaultfd Unwrap(IUserfaultfd context) => context is TroubledUserfaultfd troubled ? troubled.Inner : context;
}
