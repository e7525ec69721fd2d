using System;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>Where the owner of a lease sleeps until the loads it needs have ended. Used by one thread at a time.</summary>
internal sealed class LoadWait : IDisposable
{
    private readonly Parker _parker = new();

    /// <summary>Loads not ended yet.</summary>
    private int _pending;

    /// <summary>Why one of them failed, or null.</summary>
    private Exception? _cause;

    public void Expect()
    {
        Seam.Touch(this, TouchKind.Write);
        Interlocked.Increment(ref _pending);
    }

    public void Tell(Exception? cause)
    {
        if (cause is not null)
        {
            Interlocked.CompareExchange(ref _cause, cause, null);
        }

        Seam.Touch(this, TouchKind.Write);
        if (Interlocked.Decrement(ref _pending) == 0)
        {
            _parker.Unpark();
        }
    }

    /// <summary>Sleeps until every load expected has ended. Each ends in time, if only because its deadline passes.</summary>
    /// <returns>Why one of them failed, or null.</returns>
    public Exception? Wait()
    {
        Seam.Touch(this, TouchKind.Read);
        while (Volatile.Read(ref _pending) != 0)
        {
            _parker.Park();
            Seam.Touch(this, TouchKind.Read);
        }

        return Interlocked.Exchange(ref _cause, null);
    }

    public void Dispose() => _parker.Dispose();
}
