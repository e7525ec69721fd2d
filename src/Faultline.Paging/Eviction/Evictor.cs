using System;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>
/// A thread that keeps a part of each image's budget free, so that faults find room. It sleeps until half of that part is taken. A fault that comes before it
/// is done makes room by itself.
/// </summary>
internal sealed class Evictor : IDisposable
{
    /// <summary>How long it waits where nothing could go, unless it is woken again.</summary>
    private const int RetryMs = 5;

    private readonly PagerCore _core;
    private readonly Parker _parker = new(ParkerPatience.None);
    private readonly SeamThread _thread;

    /// <summary>Whether a wake is on its way, so that others may be spared. A guess.</summary>
    private volatile bool _isWoken;

    private volatile bool _stopped;

    public Evictor(PagerCore core)
    {
        _core = core;
        _thread = Seam.Start("faultline-evictor", Run);
    }

    /// <summary>Wakes it if the budget of an image has little left.</summary>
    public void WakeFor(LoadTable table)
    {
        if (table.FreePages < table.HeadroomPages / 2)
        {
            Wake();
        }
    }

    public void Wake()
    {
        if (!_isWoken)
        {
            Seam.Touch(this, TouchKind.Write);
            _isWoken = true;
            _parker.Unpark();
        }
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

    private void Run()
    {
        using FaultWorker worker = new();
        bool isDone = true;
        while (!_stopped)
        {
            _parker.Park(isDone ? -1 : RetryMs);
            Seam.Touch(this, TouchKind.Write);
            _isWoken = false;
            isDone = true;
            foreach (LoadTable table in _core.Tables)
            {
                if (table.BudgetPages != 0 && !_stopped)
                {
                    isDone &= Evict.MakeHeadroom(table, worker);
                    _core.Loop.Work(worker);
                }
            }
        }
    }
}
