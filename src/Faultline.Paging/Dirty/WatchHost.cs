using System;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>Whoever brings the write-protect faults of a <see cref="WriteWatch"/>. A tracker and a snapshot may use one together.</summary>
internal abstract class WatchHost : IDisposable
{
    private int _uses = 1;

    /// <summary>What is watched; null where the kernel lifts the protection by itself.</summary>
    public abstract WriteWatch? Watch { get; }

    /// <summary>Why no more faults come, or none.</summary>
    public virtual Errno Failure => Errno.None;

    /// <summary>Takes part in it; to be disposed once more then. False if it has ended.</summary>
    public bool TryShare()
    {
        while (true)
        {
            Seam.Touch(this, TouchKind.Write);
            int uses = Volatile.Read(ref _uses);
            if (uses == 0)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _uses, uses + 1, uses) == uses)
            {
                return true;
            }
        }
    }

    public void Dispose()
    {
        Seam.Touch(this, TouchKind.Write);
        if (Interlocked.Decrement(ref _uses) == 0)
        {
            Close();
        }
    }

    /// <summary>Ends the protection; nobody stays asleep.</summary>
    protected abstract void Close();
}
