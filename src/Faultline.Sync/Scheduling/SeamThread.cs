using System;
using System.Threading;

namespace Faultline.Sync.Scheduling;

/// <summary>A thread that <see cref="Seam.Start"/> started.</summary>
public sealed class SeamThread
{
    private readonly object? _scheduled;
    private readonly Thread? _thread;

    internal SeamThread(object? scheduled, Thread? thread)
    {
        _scheduled = scheduled;
        _thread = thread;
    }

    /// <summary>Whether it is the calling thread.</summary>
    public bool IsCurrent => _thread is null ? ReferenceEquals(Seam.Thread, _scheduled) : _thread == Thread.CurrentThread;

    /// <summary>Waits for its end.</summary>
    /// <param name="timeout">How long; null is without end. In a schedule there is no limit: a thread that never ends is a failure there.</param>
    /// <returns>Whether it has ended.</returns>
    public bool Join(TimeSpan? timeout = null)
    {
        if (_thread is not null)
        {
            return _thread.Join(timeout ?? Timeout.InfiniteTimeSpan);
        }

        // A thread that belongs to no schedule can come here only after the schedule is over, and with it all of its threads.
        Seam.Current?.Join(_scheduled!);
        return true;
    }
}
