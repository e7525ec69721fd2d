using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>
/// The pages of a mapping that are leased for writing. Whoever has such a lease writes from managed code, and must not fault: these pages are never
/// protected, and count as written all the time.
/// </summary>
internal sealed class WriteLeases
{
    /// <summary>The leases. Guard: <see cref="Lock"/>.</summary>
    private readonly List<(int First, int Count)> _leases = [];

    /// <summary>Also the lock of the <see cref="WriteWatch"/>, so that a lease begins before or after a protection, and not beside it.</summary>
    public RankedLock Lock { get; } = new(LockRank.PagerDirty);

    /// <summary>Whether there is none. The lock is held.</summary>
    public bool IsEmpty => _leases.Count == 0;

    /// <summary>Before the pages are populated for writing.</summary>
    public void Add(int first, int count)
    {
        using RankedLock.Scope held = Lock.Enter();
        _leases.Add((first, count));
    }

    public void Remove(int first, int count)
    {
        using RankedLock.Scope held = Lock.Enter();
        _leases.Remove((first, count));
    }

    /// <summary>Whether a page is leased for writing. The lock is held.</summary>
    public bool Covers(int page)
    {
        foreach ((int first, int count) in _leases)
        {
            if (page >= first && page < first + count)
            {
                return true;
            }
        }

        return false;
    }
}
