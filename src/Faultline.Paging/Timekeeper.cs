using System;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>
/// A thread of its own that fails loads past their deadline: it works even when every handler thread is held up in a store. It looks eight
/// times in each
/// deadline, so that a load costs nothing to watch; a load may live an eighth longer than the deadline.
/// </summary>
internal sealed class Timekeeper : IDisposable
{
    private readonly PagerCore _core;
    private readonly Parker _parker = new();
    private readonly SeamThread _thread;
    private volatile bool _stopped;

    public Timekeeper(PagerCore core)
    {
        _core = core;
        _thread = Seam.Start("faultline-timekeeper", Keep);
    }

    public void Dispose()
    {
        Seam.Touch(this, TouchKind.Write);
        _stopped = true;
        _parker.Unpark();
        if (!_thread.IsCurrent)
        {
            _thread.Join();
            _parker.Dispose();
        }
    }

    private void Keep()
    {
        int periodMs = (int)Math.Clamp(_core.Options.LoadDeadline.TotalMilliseconds / 8, 2, 500);
        using FaultWorker worker = new();
        while (!_stopped)
        {
            _parker.Park(periodMs);
            Seam.Touch(this, TouchKind.Read);
            if (!_stopped)
            {
                _core.AbandonOverdue(worker);
            }
        }
    }
}
