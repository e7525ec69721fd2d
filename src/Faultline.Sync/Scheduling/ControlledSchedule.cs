using System;
using System.Collections.Generic;
using System.Linq;
using System.Numerics;
using System.Runtime.ExceptionServices;
using System.Threading;

namespace Faultline.Sync.Scheduling;

/// <summary>
/// One run of a program under a scheduler that owns its threads: one runs, the others sleep until they are chosen. The thread that stops
/// running chooses the next one itself, so there is no scheduler thread.
/// </summary>
internal sealed class ControlledSchedule : IDisposable
{
    private readonly IScheduleStrategy? _strategy;
    private readonly IStepStrategy? _steps;
    private readonly ExplorationBounds _bounds;
    private readonly ScheduledProgram _program;
    private readonly List<ScheduledThread> _threads = [];

    /// <summary>The choices made where there was one.</summary>
    private readonly List<byte> _path = [];

    private readonly ManualResetEventSlim _over = new();

    /// <summary>Points passed; read by the caller of <see cref="Run"/> too, to see whether the program still moves.</summary>
    private int _stepCount;

    private int _preemptions;

    /// <summary>The first failure.</summary>
    private ScheduleFailure? _failure;

    private bool _isRedundant;

    /// <summary>Whether nothing is chosen now, nor noted.</summary>
    private bool _isCalm;

    /// <summary>What the strategy threw: not a failure of the program but of the exploration.</summary>
    private ExceptionDispatchInfo? _strategyError;

    private ControlledSchedule(ScheduledProgram program, object strategy, ExplorationBounds bounds)
    {
        _steps = strategy as IStepStrategy;
        _strategy = strategy as IScheduleStrategy;
        _bounds = bounds;
        _program = program;
        foreach (Action body in program.Threads)
        {
            _threads.Add(new ScheduledThread(this, _threads.Count, program.ThreadNames?[_threads.Count] ?? $"thread {_threads.Count}", body));
        }
    }

    public HeldLatches Latches { get; } = new();

    /// <summary>The schedule's clock: it moves only when nobody can run, to the end of the shortest sleep.</summary>
    public long NowMs { get; private set; }

    /// <summary>Whether the schedule is over before its end, and the threads are being unwound.</summary>
    public bool IsAbandoned => _failure is not null || _isRedundant || _strategyError is not null;

    /// <summary>Runs a program to its end or to its first failure.</summary>
    /// <param name="program">The program.</param>
    /// <param name="strategy">An <see cref="IScheduleStrategy"/> or an <see cref="IStepStrategy"/>.</param>
    /// <param name="bounds">The bounds.</param>
    public static ScheduleOutcome Run(ScheduledProgram program, object strategy, ExplorationBounds bounds)
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
        if (!schedule.IsAbandoned)
        {
            schedule.RunCheck(program.Check, "at the end");
        }

        program.Cleanup?.Invoke();
        return new ScheduleOutcome(schedule._failure, schedule._isRedundant, schedule._stepCount);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _over.Dispose();
        foreach (ScheduledThread thread in _threads)
        {
            thread.GiveBackCarrier();
        }
    }

    public string NameOf(int thread) => _threads[thread].Name;

    /// <summary>Adds a thread that another one starts.</summary>
    public ScheduledThread Add(string name, Action body, ScheduledThread parent)
    {
        if (_threads.Count == SchedulePath.MaxThreads)
        {
            throw new InvalidOperationException($"A program has at most {SchedulePath.MaxThreads} threads.");
        }

        ScheduledThread thread = new(this, _threads.Count, name, body);
        _threads.Add(thread);
        _steps?.Started(parent.Number);
        return thread;
    }

    /// <summary>Says whether there are choices from here on.</summary>
    /// <returns>Whether there were none before.</returns>
    public bool SetCalm(bool isCalm)
    {
        bool before = _isCalm;
        _isCalm = isCalm;
        return before;
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
        next ??= _threads.Find(thread => !thread.HasEnded);
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
        _failure ??= new ScheduleFailure(kind, message, SchedulePath.Print(_path), exception) { Preemptions = _preemptions };

    private void RunThreads()
    {
        (Pick(self: null) ?? _threads[0]).Go();
        int seen = -1;
        while (!_over.Wait(_bounds.StallMs))
        {
            int steps = Volatile.Read(ref _stepCount);
            if (steps == seen)
            {
                throw new TimeoutException(
                    $"No thread of the program reached a point for {_bounds.StallMs} ms, after path \"{SchedulePath.Print(_path)}\": one of them " +
                    "waits outside Faultline.Sync, or loops without a point.");
            }

            seen = steps;
        }

        foreach (ScheduledThread thread in _threads)
        {
            SpinWait.SpinUntil(() => thread.HasLeft);
        }
    }

    private void RunCheck(Action? check, string when)
    {
        try
        {
            check?.Invoke();
        }
#pragma warning disable CA1031 // Whatever the check throws is the result of the exploration.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Fail(ScheduleFailureKind.Invariant, $"the check {when} threw {exception.GetType().Name}: {exception.Message}", exception);
        }
    }

    /// <summary>Chooses who runs on.</summary>
    /// <param name="self">Who ran until now; null at the start.</param>
    /// <returns>The choice; null if all have ended or the schedule has just failed.</returns>
    private ScheduledThread? Pick(ScheduledThread? self)
    {
        if (++_stepCount > _bounds.MaxSteps)
        {
            Fail(ScheduleFailureKind.StepBound, $"more than {_bounds.MaxSteps} points: a loop that waits without sleeping?");
            return null;
        }

        if (_program.QuietCheck is { } check && self is { IsAtRest: true } && IsQuiet())
        {
            RunQuietCheck(check!, self!);
            if (IsAbandoned)
            {
                return null;
            }
        }

        uint runnable = Runnable();
        if (runnable == 0)
        {
            runnable = WhoWantsQuiet();
        }

        while (runnable == 0 && AdvanceClock())
        {
            runnable = Runnable();
        }

        if (runnable == 0)
        {
            FailIfAnyIsLeft();
            return null;
        }

        if (_isCalm)
        {
            return InTurn(self, runnable);
        }

        ScheduledThread? next = _steps is null ? AskStrategy(self, runnable) : AskSteps(self, runnable);
        if (next is not null)
        {
            Note(self, next, runnable);
        }

        return next;
    }

    private void Note(ScheduledThread? self, ScheduledThread next, uint runnable)
    {
        if (BitOperations.PopCount(runnable) > 1)
        {
            _path.Add((byte)next.Number);
            if (self is not null && next != self && (runnable & (1u << self.Number)) != 0)
            {
                _preemptions++;
            }
        }

        ForgetYields(next);
    }

    private ScheduledThread? AskSteps(ScheduledThread? self, uint runnable)
    {
        try
        {
            int choice = _steps!.Choose(_threads, runnable, self?.Number ?? -1);
            _isRedundant = choice < 0;
            return choice < 0 ? null : _threads[choice];
        }
#pragma warning disable CA1031 // Carried to the caller of Run: this is a thread of the program.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _strategyError = ExceptionDispatchInfo.Capture(exception);
            return null;
        }
    }

    private ScheduledThread? AskStrategy(ScheduledThread? self, uint runnable)
    {
        Span<int> candidates = stackalloc int[SchedulePath.MaxThreads];
        int count = 0;
        bool canGoOn = self is not null && (runnable & (1u << self.Number)) != 0;
        if (canGoOn)
        {
            candidates[count++] = self!.Number;
        }

        foreach (ScheduledThread thread in _threads)
        {
            if (thread != self && (runnable & (1u << thread.Number)) != 0)
            {
                candidates[count++] = thread.Number;
            }
        }

        if (count == 1)
        {
            return _threads[candidates[0]];
        }

        try
        {
            return _threads[candidates[_strategy!.Choose(candidates[..count], canGoOn)]];
        }
#pragma warning disable CA1031 // Carried to the caller of Run: this is a thread of the program.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _strategyError = ExceptionDispatchInfo.Capture(exception);
            return null;
        }
    }

    /// <summary>The threads that can run, one bit each; those that let others run first only if there are no others.</summary>
    private uint Runnable()
    {
        uint ready = 0;
        uint yielded = 0;
        foreach (ScheduledThread thread in _threads)
        {
            if (thread.CanRun)
            {
                uint bit = 1u << thread.Number;
                ready |= thread.HasYielded ? 0 : bit;
                yielded |= thread.HasYielded ? bit : 0;
            }
        }

        return ready != 0 ? ready : yielded;
    }

    /// <summary>The first thread that waits until all others sleep.</summary>
    private uint WhoWantsQuiet() => _threads.Find(thread => thread is { WantsQuiet: true, HasEnded: false }) is { } patient ? 1u << patient.Number : 0;

    /// <summary>The thread that runs where nothing is chosen: the one that ran, if it can, else the next one.</summary>
    private ScheduledThread InTurn(ScheduledThread? self, uint runnable)
    {
        int from = self?.Number ?? 0;
        uint fromHere = runnable & (uint.MaxValue << from);
        ScheduledThread next = _threads[BitOperations.TrailingZeroCount(fromHere != 0 ? fromHere : runnable)];
        ForgetYields(next);
        return next;
    }

    private void ForgetYields(ScheduledThread next)
    {
        foreach (ScheduledThread thread in _threads)
        {
            if (thread != next)
            {
                thread.HasYielded = false;
            }
        }
    }

    private bool IsQuiet() => Latches.AreAllFree && _threads.TrueForAll(static thread => thread.IsAtRest);

    private void RunQuietCheck(Action check, ScheduledThread self)
    {
        Seam.Current = null;
        RunCheck(check, "at a quiet moment");
        Seam.Current = self.HasEnded ? null : self;
    }

    /// <summary>Moves the clock to the end of the shortest sleep.</summary>
    /// <returns>Whether there is one that is not over.</returns>
    private bool AdvanceClock()
    {
        long? deadline = null;
        foreach (ScheduledThread thread in _threads)
        {
            if (thread.DeadlineMs > NowMs && thread.DeadlineMs <= _bounds.MaxClockMs && (deadline is null || thread.DeadlineMs < deadline))
            {
                deadline = thread.DeadlineMs;
            }
        }

        NowMs = deadline ?? NowMs;
        return deadline is not null;
    }

    private void FailIfAnyIsLeft()
    {
        if (_threads.Any(thread => !thread.HasEnded))
        {
            bool wantsLock = _threads.Any(thread => !thread.HasEnded && thread.WantsLock);
            Fail(
                wantsLock ? ScheduleFailureKind.Deadlock : ScheduleFailureKind.LostWake,
                string.Join("; ", _threads.Select(thread => thread.Describe())) + ".");
        }
    }
}
