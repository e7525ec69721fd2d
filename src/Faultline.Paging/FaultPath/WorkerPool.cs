using System;
using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>
/// The workers of threads that are not handlers, kept for the next that needs one. A lease that fails because the pager ends may give its worker back after the
/// pool was disposed; it is then disposed at once.
/// </summary>
internal sealed class WorkerPool : IDisposable
{
    private readonly RankedLock _lock = new(LockRank.PagerSpares);

    /// <summary>Those that nobody uses; null once the pool was disposed. Guard: the lock.</summary>
    private Stack<FaultWorker>? _idle = [];

    /// <summary>A worker for the calling thread, until it is given back.</summary>
    public FaultWorker Rent()
    {
        using RankedLock.Scope held = _lock.Enter();
        return _idle is not null && _idle.TryPop(out FaultWorker? worker) ? worker : new FaultWorker();
    }

    /// <summary>Gives a worker back.</summary>
    public void Return(FaultWorker worker)
    {
        if (!TryKeep(worker))
        {
            worker.Dispose();
        }
    }

    public void Dispose()
    {
        Stack<FaultWorker>? idle;
        using (RankedLock.Scope held = _lock.Enter())
        {
            idle = _idle;
            _idle = null;
        }

        foreach (FaultWorker worker in idle ?? [])
        {
            worker.Dispose();
        }
    }

    private bool TryKeep(FaultWorker worker)
    {
        using RankedLock.Scope held = _lock.Enter();
        _idle?.Push(worker);
        return _idle is not null;
    }
}
