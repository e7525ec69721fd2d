using System;

namespace Faultline;

/// <summary>One thing to wait on for many userfaultfds (Linux: epoll(7)). Several threads may wait at once.</summary>
/// <remarks>Readiness is level-triggered and advisory: a message may be gone when it is read.</remarks>
public interface IUserfaultfdPoller : IDisposable
{
    /// <summary>Adds a context, which must have been opened with <see cref="UserfaultfdOptions.NonBlocking"/>.</summary>
    /// <param name="context">The context.</param>
    /// <param name="tag">The number <see cref="Wait"/> reports for it.</param>
    /// <returns>EINVAL (a blocking context), EEXIST, ENOMEM.</returns>
    SystemResult Add(IUserfaultfd context, long tag);

    /// <summary>Removes a context; do so before disposing it.</summary>
    /// <returns>ENOENT.</returns>
    SystemResult Remove(IUserfaultfd context);

    /// <summary>Waits until a context has messages.</summary>
    /// <param name="ready">Receives the tags of contexts that have.</param>
    /// <param name="timeoutMs">The longest wait in milliseconds; 0 looks only, -1 waits without end.</param>
    /// <returns>The number of tags (zero: the time ran out, or <see cref="Wake"/>), or ECANCELED after <see cref="Stop"/>.</returns>
    SystemResult<int> Wait(Span<long> ready, int timeoutMs);

    /// <summary>Makes one wait, a current one or the next, return early.</summary>
    void Wake();

    /// <summary>Makes every current and later wait answer ECANCELED.</summary>
    void Stop();
}
