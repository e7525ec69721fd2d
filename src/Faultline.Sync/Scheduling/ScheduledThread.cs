using System;
using System.Threading;

namespace Faultline.Sync.Scheduling;

/// <summary>One thread of a schedule: why it does not run, and where it sleeps until it is chosen.</summary>
/// <remarks>Everything here but the baton is touched only by the one thread that runs; the baton orders one runner before the next.</remarks>
internal sealed class ScheduledThread : ISchedule, IDisposable
{
    private readonly ControlledSchedule _schedule;
    private readonly Action _body;
    private readonly Parker _baton = new();
    private readonly Thread _thread;

    /// <summary>The lock it wants; null if it waits for none.</summary>
    private object? _latch;

    private HoldMode _mode;

    private LockRank _rank;

    /// <summary>Where it sleeps; null if it does not.</summary>
    private Parker? _parker;

    public ScheduledThread(ControlledSchedule schedule, int number, Action body)
    {
        _schedule = schedule;
        _body = body;
        Number = number;
        _thread = new Thread(Main) { IsBackground = true, Name = $"scheduled {number}" };
    }

    public int Number { get; }

    public bool HasEnded { get; private set; }

    /// <summary>When its sleep ends, on the schedule's clock; null if it does not sleep or sleeps without end.</summary>
    public long? DeadlineMs { get; private set; }

    public bool CanRun =>
        !HasEnded
        && (_latch is null || _schedule.Latches.IsFree(_latch, _mode))
        && (_parker is null || _parker.HasPermit || DeadlineMs <= _schedule.NowMs);

    public void Start() => _thread.Start();

    public void Join() => _thread.Join();

    public void Dispose() => _baton.Dispose();

    /// <summary>Makes it the thread that runs.</summary>
    public void Go() => _baton.UnparkUnscheduled();

    /// <summary>Sleeps until it is made the thread that runs.</summary>
    public void AwaitTurn() => _baton.ParkUnscheduled(Timeout.Infinite);

    public void Point() => _schedule.Switch(this);

    public void Acquire(object latch, LockRank rank, HoldMode mode)
    {
        (_latch, _rank, _mode) = (latch, rank, mode);
        _schedule.Switch(this);
        _latch = null;
        _schedule.Latches.Take(latch, mode, Number);
    }

    public bool TryAcquire(object latch, LockRank rank, HoldMode mode)
    {
        _schedule.Switch(this);
        if (!_schedule.Latches.IsFree(latch, mode))
        {
            return false;
        }

        _schedule.Latches.Take(latch, mode, Number);
        return true;
    }

    public void Release(object latch, HoldMode mode)
    {
        _schedule.Latches.LetGo(latch, mode, Number);
        if (!_schedule.IsAbandoned)
        {
            _schedule.Switch(this);
        }
    }

    public bool Park(Parker parker, int timeoutMs)
    {
        _parker = parker;
        DeadlineMs = timeoutMs < 0 ? null : _schedule.NowMs + timeoutMs;
        _schedule.Switch(this);
        _parker = null;
        DeadlineMs = null;
        return parker.HasPermit;
    }

    /// <summary>Why it cannot run, for the message of a deadlock.</summary>
    public string Describe() => this switch
    {
        { HasEnded: true } => $"thread {Number} has ended",
        { _latch: { } latch } => $"thread {Number} wants {_rank} ({_mode}), held by {_schedule.Latches.Describe(latch)}",
        _ => $"thread {Number} sleeps and nobody is left to wake it",
    };

    private void Main()
    {
        AwaitTurn();
        Seam.Current = this;
        if (!_schedule.IsAbandoned)
        {
            RunBody();
        }

        Seam.Current = null;
        HasEnded = true;
        _schedule.End(this);
    }

    private void RunBody()
    {
        try
        {
            _body();
        }
        catch (ScheduleAbandonedException)
        {
            // Another thread failed, or this one found the deadlock: the failure is noted already.
        }
#pragma warning disable CA1031 // Whatever the program throws is the result of the exploration.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _schedule.Fail(ScheduleFailureKind.Exception, $"thread {Number} threw {exception.GetType().Name}: {exception.Message}", exception);
        }
    }
}
