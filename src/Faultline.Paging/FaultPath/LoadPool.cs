using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>Loads ready for their next use.</summary>
internal sealed class LoadPool(PagerCore core)
{
    private readonly RankedLock _lock = new(LockRank.PagerSpares);
    private readonly Stack<PageLoad> _spares = [];

    public PageLoad Rent()
    {
        using RankedLock.Scope held = _lock.Enter();
        return _spares.TryPop(out PageLoad? load) ? load : new PageLoad(core);
    }

    /// <summary>Takes back a load that has ended, or was abandoned and has now been read.</summary>
    public void Return(PageLoad load)
    {
        load.Reset();
        using RankedLock.Scope held = _lock.Enter();
        _spares.Push(load);
    }
}
