using System;
using System.Threading;

namespace Faultline.Sync;

/// <summary>
/// Where one thread sleeps until another wakes it. A wake that comes before the sleep is not lost: it is kept, once, for the next
/// <see cref="Park"/>.
/// </summary>
public sealed class Parker : IDisposable
{
    private readonly SemaphoreSlim _permit = new(0, 1);

    /// <summary>1 while a wake is kept or on its way; keeps the semaphore from being released twice.</summary>
    private int _woken;

    /// <summary>Sleeps until <see cref="Unpark"/>.</summary>
    /// <param name="timeoutMs">The longest sleep in milliseconds; -1 sleeps without end.</param>
    /// <returns>Whether it was woken; false means the time ran out.</returns>
    public bool Park(int timeoutMs = Timeout.Infinite)
    {
        if (!_permit.Wait(timeoutMs))
        {
            return false;
        }

        // A full barrier: what a later Unpark finds still set must have been written before we look again.
        Interlocked.Exchange(ref _woken, 0);
        return true;
    }

    /// <summary>Wakes the sleeper, or keeps the wake for it. Several wakes before one sleep count as one.</summary>
    public void Unpark()
    {
        if (Interlocked.Exchange(ref _woken, 1) == 0)
        {
            _permit.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _permit.Dispose();
}
