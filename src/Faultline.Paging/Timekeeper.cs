using System;
using System.Threading;
using Faultline.Sync;

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
    private readonly Thread _thread;
    private volatile bool _stopped;

    public Timekeeper(PagerCore core)
    {
        _core = core;
        _thread = new Thread(Keep) { IsBackground = true, Name = "faultline-timekeeper" };
        _thread.Start();
    }

    public void Dispose()
    {
        _stopped = true;
        _parker.Unpark();
        if (_thread != Thread.CurrentThread)
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
            if (!_stopped)
            {
                _core.AbandonOverdue(worker);
            }
        }
    }
}
