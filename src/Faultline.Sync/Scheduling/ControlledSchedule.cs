using System;
using System.Linq;
using System.Runtime.ExceptionServices;
using System.Text;
using System.Threading;

namespace Faultline.Sync.Scheduling;

/// <summary>
/// One run of a program under a scheduler that owns its threads: one runs, the others sleep until they are chosen. The thread that stops
/// running chooses the next one itself, so there is no scheduler thread.
/// </summary>
internal sealed class ControlledSchedule : IDisposable
{
    private readonly IScheduleStrategy _strategy;
    private readonly ExplorationBounds _bounds;
    private readonly ScheduledThread[] _threads;
    private readonly StringBuilder _path = new();
    private readonly ManualResetEventSlim _over = new();

    /// <summary>Points passed; read by the caller of <see cref="Run"/> too, to see whether the program still moves.</summary>
    private int _steps;

    /// <summary>The first failure.</summary>
    private ScheduleFailure? _failure;

    /// <summary>What the strategy threw: not a failure of the program but of the exploration.</summary>
    private ExceptionDispatchInfo? _strategyError;

    private ControlledSchedule(ScheduledProgram program, IScheduleStrategy strategy, ExplorationBounds bounds)
    {
        _strategy = strategy;
        _bounds = bounds;
        _threads = [.. program.Threads.Select((body, number) => new ScheduledThread(this, number, body))];
    }

    public HeldLatches Latches { get; } = new();

    /// <summary>The schedule's clock: it moves only when nobody can run, to the end of the shortest sleep.</summary>
    public long NowMs { get; private set; }

    /// <summary>Whether the schedule is over before its end, and the threads are being unwound.</summary>
    public bool IsAbandoned => _failure is not null || _strategyError is not null;

    /// <summary>Runs a program to its end or to its first failure.</summary>
    /// <returns>The failure; null if there was none.</returns>
    public static ScheduleFailure? Run(ScheduledProgram program, IScheduleStrategy strategy, ExplorationBounds bounds)
    {
        if (!Seam.IsOn)
        {
            throw new InvalidOperationException(
                $"Schedules can be controlled only in a process started with the switch {Seam.SwitchName}: set it in the project file of the " +
                "tests (RuntimeHostConfigurationOption).");
        }

        if (program.Threads.Count is 0 or > SchedulePath.MaxThreads)
        {
            throw new ArgumentException($"A program has 1 to {SchedulePath.MaxThreads} threads, not {program.Threads.Count}.", nameof(program));
        }

        ControlledSchedule schedule = new(program, strategy, bounds);
        schedule.RunThreads();

        // Not on the way of an exception: after a stall threads of the program may still sleep in what would be disposed.
        schedule.Dispose();
        schedule._strategyError?.Throw();
        return schedule._failure ?? schedule.RunCheck(program.Check);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _over.Dispose();
        foreach (ScheduledThread thread in _threads)
        {
            thread.Dispose();
        }
    }

    /// <summary>A point of the running thread: it may go on at once, or sleep while others run.</summary>
    public void Switch(ScheduledThread self)
    {
        if (!IsAbandoned)
        {
            ScheduledThread next = Pick(self) ?? self;
            if (next != self)
            {
                next.Go();
                self.AwaitTurn();
            }
        }

        if (IsAbandoned)
        {
            throw new ScheduleAbandonedException();
        }
    }

    /// <summary>The last act of a thread.</summary>
    public void End(ScheduledThread self)
    {
        ScheduledThread? next = IsAbandoned ? null : Pick(self);

        // Abandoned threads are unwound one after the other too: what they share is still theirs alone to touch.
        next ??= Array.Find(_threads, thread => !thread.HasEnded);
        if (next is null)
        {
            _over.Set();
        }
        else
        {
            next.Go();
        }
    }

    public void Fail(ScheduleFailureKind kind, string message, Exception? exception = null) =>
        _failure ??= new ScheduleFailure(kind, message, _path.ToString(), exception);

    private void RunThreads()
    {
        foreach (ScheduledThread thread in _threads)
        {
            thread.Start();
        }

        (Pick(self: null) ?? _threads[0]).Go();
        int seen = -1;
        while (!_over.Wait(_bounds.StallMs))
        {
            int steps = Volatile.Read(ref _steps);
            if (steps == seen)
            {
                throw new TimeoutException(
                    $"No thread of the program reached a point for {_bounds.StallMs} ms, after path \"{_path}\": one of them waits outside " +
                    "Faultline.Sync, or loops without a point.");
            }

            seen = steps;
        }

        foreach (ScheduledThread thread in _threads)
        {
            thread.Join();
        }
    }

    private ScheduleFailure? RunCheck(Action? check)
    {
        try
        {
            check?.Invoke();
        }
#pragma warning disable CA1031 // Whatever the check throws is the result of the exploration.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Fail(ScheduleFailureKind.Exception, $"the check at the end threw {exception.GetType().Name}: {exception.Message}", exception);
        }

        return _failure;
    }

    /// <summary>Chooses who runs on.</summary>
    /// <param name="self">Who ran until now; null at the start.</param>
    /// <returns>The choice; null if all have ended or the schedule has just failed.</returns>
    private ScheduledThread? Pick(ScheduledThread? self)
    {
        if (++_steps > _bounds.MaxSteps)
        {
            Fail(ScheduleFailureKind.StepBound, $"more than {_bounds.MaxSteps} points: a loop that waits without sleeping?");
            return null;
        }

        Span<int> places = stackalloc int[_threads.Length];
        ReadOnlySpan<int> candidates = Candidates(self, places);
        if (candidates.IsEmpty && AdvanceClock())
        {
            candidates = Candidates(self, places);
        }

        switch (candidates.Length)
        {
            case 0:
                FailIfAnyIsLeft();
                return null;
            case 1:
                return _threads[candidates[0]];
            default:
                return Ask(candidates, canGoOn: self is { CanRun: true });
        }
    }

    private ScheduledThread? Ask(ReadOnlySpan<int> candidates, bool canGoOn)
    {
        try
        {
            int thread = candidates[_strategy.Choose(candidates, canGoOn)];
            _path.Append(SchedulePath.Digit(thread));
            return _threads[thread];
        }
#pragma warning disable CA1031 // Carried to the caller of Run: this is a thread of the program.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _strategyError = ExceptionDispatchInfo.Capture(exception);
            return null;
        }
    }

    private ReadOnlySpan<int> Candidates(ScheduledThread? self, Span<int> places)
    {
        int count = 0;
        if (self is { CanRun: true })
        {
            places[count++] = self.Number;
        }

        foreach (ScheduledThread thread in _threads)
        {
            if (thread != self && thread.CanRun)
            {
                places[count++] = thread.Number;
            }
        }

        return places[..count];
    }

    /// <summary>Moves the clock to the end of the shortest sleep.</summary>
    /// <returns>Whether there is one.</returns>
    private bool AdvanceClock()
    {
        long? deadline = _threads.Min(thread => thread.DeadlineMs);
        if (deadline is { } end)
        {
            NowMs = Math.Max(NowMs, end);
        }

        return deadline is not null;
    }

    private void FailIfAnyIsLeft()
    {
        if (_threads.Any(thread => !thread.HasEnded))
        {
            Fail(ScheduleFailureKind.Deadlock, string.Join("; ", _threads.Select(thread => thread.Describe())) + ".");
        }
    }
}
