using System;
using System.Collections.Generic;
using System.Threading;

namespace Faultline.Sync.Scheduling;

/// <summary>One thread of a schedule: what it is about to do, and why it does not run.</summary>
/// <remarks>Everything here but the baton is touched only by the one thread that runs; the baton orders one runner before the next.</remarks>
internal sealed class ScheduledThread : ISchedule
{
    private readonly ControlledSchedule _schedule;
    private readonly Action _body;
    private readonly Carrier _carrier = Carrier.Rent();

    /// <summary>The ranks of the locks it holds.</summary>
    private readonly List<LockRank> _ranks = [];

    /// <summary>The lock it wants; null if it waits for none.</summary>
    private object? _latch;

    private HoldMode _mode;

    private LockRank _rank;

    /// <summary>Where it sleeps; null if it does not.</summary>
    private Parker? _parker;

    /// <summary>Whether it waits until all others sleep.</summary>
    private bool _wantsQuiet;

    /// <summary>What it waits for; null if for nothing of that kind.</summary>
    private Func<bool>? _condition;

    private int _hasLeft;

    public ScheduledThread(ControlledSchedule schedule, int number, string name, Action body)
    {
        _schedule = schedule;
        _body = body;
        Number = number;
        Name = name;
        _carrier.Load(Main);
    }

    public int Number { get; }

    public string Name { get; }

    public bool HasBegun { get; private set; }

    public bool HasEnded { get; private set; }

    /// <summary>What it does next, if it is chosen.</summary>
    public Step Next { get; private set; }

    /// <summary>Whether it has asked for another thread to run first, and none has.</summary>
    public bool HasYielded { get; set; }

    /// <summary>When its sleep ends, on the schedule's clock; null if it does not sleep or sleeps without end.</summary>
    public long? DeadlineMs { get; private set; }

    public long NowMs => _schedule.NowMs;

    public bool CanRun =>
        !HasEnded
        && (_latch is null || _schedule.Latches.IsFree(_latch, _mode))
        && (_parker is null || _parker.HasPermit || DeadlineMs <= _schedule.NowMs)
        && (_condition is null || _condition())
        && !_wantsQuiet;

    /// <summary>Whether it runs on, if it does, only because nobody else can.</summary>
    public bool ComesAfterAll => _wantsQuiet || _parker is { HasPermit: false };

    /// <summary>Whether it waits until all others sleep.</summary>
    public bool WantsQuiet => _wantsQuiet;

    /// <summary>Whether it sleeps until another thread wakes it, or time passes.</summary>
    public bool IsAsleep => _parker is { HasPermit: false };

    /// <summary>Whether it is in no call that changes anything: not begun, ended, asleep, or waiting for others to end or to sleep.</summary>
    public bool IsAtRest => HasEnded || !HasBegun || _wantsQuiet || IsAsleep || (_condition is not null && Next.Target is ScheduledThread);

    /// <summary>Whether it waits for a lock.</summary>
    public bool WantsLock => _latch is not null;

    /// <summary>Whether its carrier has nothing more to do with the schedule.</summary>
    public bool HasLeft => Volatile.Read(ref _hasLeft) != 0;

    /// <summary>Makes it the thread that runs.</summary>
    public void Go() => _carrier.Go();

    /// <summary>Sleeps until it is made the thread that runs.</summary>
    public void AwaitTurn() => _carrier.AwaitTurn();

    public void GiveBackCarrier() => _carrier.Return();

    public void Point(in Step step)
    {
        Next = step;
        _schedule.Switch(this);
    }

    public void Yield()
    {
        HasYielded = true;
        Next = new Step(StepKind.Local);
        _schedule.Switch(this);
        HasYielded = false;
    }

    public void Await(object target, Func<bool> condition)
    {
        _condition = condition;
        Next = new Step(StepKind.Read, target);
        _schedule.Switch(this);
        _condition = null;
    }

    public void AwaitQuiet()
    {
        _wantsQuiet = true;
        Next = new Step(StepKind.Local);
        _schedule.Switch(this);
        _wantsQuiet = false;
    }

    public bool BeginCalm() => _schedule.SetCalm(true);

    public void EndCalm() => _schedule.SetCalm(false);

    public void CheckOrder(LockRank rank, LockPlace place)
    {
        foreach (LockRank held in _ranks)
        {
            if (held > rank || (held == rank && place == LockPlace.Single))
            {
                throw new LockOrderException(rank, held);
            }
        }
    }

    public void Acquire(object latch, LockRank rank, HoldMode mode)
    {
        if (Commutes(rank) && _schedule.Latches.IsFree(latch, mode))
        {
            Take(latch, rank, mode);
            return;
        }

        (_latch, _rank, _mode) = (latch, rank, mode);
        Next = new Step(mode == HoldMode.Shared ? StepKind.AcquireShared : StepKind.Acquire, latch);
        _schedule.Switch(this);
        _latch = null;
        Take(latch, rank, mode);
    }

    public bool TryAcquire(object latch, LockRank rank)
    {
        Next = new Step(StepKind.TryAcquire, latch);
        _schedule.Switch(this);
        if (!_schedule.Latches.IsFree(latch, HoldMode.Exclusive))
        {
            return false;
        }

        Take(latch, rank, HoldMode.Exclusive);
        return true;
    }

    public void Release(object latch, LockRank rank, HoldMode mode)
    {
        if (!_schedule.IsAbandoned && !Commutes(rank))
        {
            Next = new Step(mode == HoldMode.Shared ? StepKind.ReleaseShared : StepKind.Release, latch);
            _schedule.Switch(this);
        }

        _schedule.Latches.LetGo(latch, mode, Number);
        _ranks.Remove(rank);
    }

    public bool Park(Parker parker, int timeoutMs)
    {
        _parker = parker;
        DeadlineMs = timeoutMs < 0 ? null : _schedule.NowMs + timeoutMs;
        Next = new Step(StepKind.Write, parker);
        _schedule.Switch(this);
        _parker = null;
        DeadlineMs = null;
        return parker.HasPermit;
    }

    public object Start(string name, Action body)
    {
        Point(new Step(StepKind.Local));
        return _schedule.Add(name, body, this);
    }

    public void Join(object thread)
    {
        var other = (ScheduledThread)thread;
        Await(other, () => other.HasEnded);
    }

    /// <summary>Why it cannot run, for the message of a deadlock.</summary>
    public string Describe() => this switch
    {
        { HasEnded: true } => $"{Name} has ended",
        { _latch: { } latch } => $"{Name} wants {_rank} ({_mode}), held by {_schedule.Latches.Describe(latch, _schedule.NameOf)}",
        { _condition: not null, Next.Target: ScheduledThread other } => $"{Name} waits for the end of {other.Name}",
        { _wantsQuiet: true } => $"{Name} waits until all others sleep",
        { _condition: not null } => $"{Name} waits for a condition of {Next.Target?.GetType().Name}",
        _ => $"{Name} sleeps and nobody is left to wake it",
    };

    /// <summary>Whether the order in which threads take a lock decides only which of several equal things each gets: then it is no choice.</summary>
    private static bool Commutes(LockRank rank) =>
        rank is LockRank.MmFrameCache or LockRank.MmBuddy or LockRank.MmLru or LockRank.MmOwners or LockRank.PagerSpares;

    private void Take(object latch, LockRank rank, HoldMode mode)
    {
        _schedule.Latches.Take(latch, mode, Number);
        _ranks.Add(rank);
    }

    private void Main()
    {
        HeldRanks.Forget();
        HasBegun = true;
        Seam.Current = this;
        if (!_schedule.IsAbandoned)
        {
            RunBody();
        }

        Seam.Current = null;
        HasEnded = true;
        _schedule.End(this);
        Volatile.Write(ref _hasLeft, 1);
    }

    private void RunBody()
    {
        try
        {
            _body();
            if (_ranks.Count != 0)
            {
                _schedule.Fail(ScheduleFailureKind.Deadlock, $"{Name} has ended and still holds {string.Join(", ", _ranks)}.");
            }
        }
        catch (ScheduleAbandonedException)
        {
            // Another thread failed, or this one found the deadlock: the failure is noted already.
        }
        catch (LockOrderException exception)
        {
            _schedule.Fail(ScheduleFailureKind.LockOrder, $"in {Name}: {exception.Message}", exception);
        }
#pragma warning disable CA1031 // Whatever the program throws is the result of the exploration.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _schedule.Fail(ScheduleFailureKind.Exception, $"{Name} threw {exception.GetType().Name}: {exception.Message}", exception);
        }
    }
}
