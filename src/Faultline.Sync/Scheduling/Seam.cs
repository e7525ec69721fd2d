using System;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading;

namespace Faultline.Sync.Scheduling;

/// <summary>
/// The place where a scheduler can take over the threads of a test. Off unless the process was started with the switch
/// <see cref="SwitchName"/>, and then it costs nothing: <see cref="IsOn"/> is a constant to the just-in-time compiler, which drops the
/// branches behind it, and to the trimmer.
/// </summary>
public static class Seam
{
    /// <summary>The <see cref="AppContext"/> switch that turns the seam on; read once.</summary>
    public const string SwitchName = "Faultline.Sync.ScheduleSeam";

    [ThreadStatic]
    private static ISchedule? _current;

    /// <summary>Whether threads of this process may belong to a scheduler.</summary>
    [FeatureSwitchDefinition(SwitchName)]
    public static bool IsOn { get; } = AppContext.TryGetSwitch(SwitchName, out bool on) && on;

    /// <summary>Whether the calling thread belongs to a scheduler.</summary>
    public static bool IsScheduled
    {
        // Inlined by order: what is behind the switch keeps the compiler from it, and a load through the software TLB asks this.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => IsOn && _current is not null;
    }

    /// <summary>What stands for the calling thread in its schedule, another object in each; null for ordinary threads.</summary>
    public static object? Thread => IsOn ? _current : null;

    /// <summary>Milliseconds for lengths of time: by the clock of the calling thread's schedule, or <see cref="Environment.TickCount64"/>.</summary>
    public static long TickCount64 => IsOn && _current is { } schedule ? schedule.NowMs : Environment.TickCount64;

    /// <summary>A time stamp in ticks of <see cref="Stopwatch"/>: by the clock of the calling thread's schedule, if it belongs to one.</summary>
    public static long Timestamp => IsOn && _current is { } schedule ? schedule.NowMs * (Stopwatch.Frequency / 1000) : Stopwatch.GetTimestamp();

    internal static ISchedule? Current
    {
        get => _current;
        set => _current = value;
    }

    /// <summary>
    /// Lets a scheduler choose another thread here. For code that shares memory without a lock: between its reads and writes nothing
    /// else tells a scheduler that the order matters. <see cref="Touch(object, TouchKind, int)"/> says what is shared, and so costs fewer schedules.
    /// </summary>
    public static void Point()
    {
        if (IsOn)
        {
            _current?.Point(new Step(StepKind.Any));
        }
    }

    /// <summary>Comes before an access to a shared word that no lock guards.</summary>
    /// <param name="owner">Who owns the word.</param>
    /// <param name="kind">What happens to it.</param>
    /// <param name="place">Which word of the owner.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Touch(object owner, TouchKind kind, int place = 0)
    {
        if (IsOn)
        {
            Touch(owner, place, kind);
        }
    }

    /// <summary>Comes before an access to a shared word in native memory that no lock guards.</summary>
    /// <param name="address">Where the word is.</param>
    /// <param name="kind">What happens to it.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Touch(nint address, TouchKind kind)
    {
        if (IsOn)
        {
            Touch(null, address, kind);
        }
    }

    /// <summary>
    /// Comes in a loop that tries again until another thread has done something: an owner of the schedule lets another thread run first.
    /// Ordinary threads just go on.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Yield()
    {
        if (IsOn)
        {
            _current?.Yield();
        }
    }

    /// <summary>Waits for a condition in place of a loop that spins, if the calling thread belongs to a schedule.</summary>
    /// <param name="owner">What the condition looks at; its changes are announced by <see cref="Touch(object, TouchKind, int)"/> with place 0.</param>
    /// <param name="condition">The condition; without points.</param>
    /// <returns>Whether the caller belongs to a schedule, and has waited.</returns>
    public static bool TryAwait(object owner, Func<bool> condition)
    {
        if (!IsScheduled)
        {
            return false;
        }

        _current!.Await(owner, condition);
        return true;
    }

    /// <summary>
    /// Does something of which no other order is looked at than one: what is there before the threads meet, and what ends it. Others run where the
    /// caller has to wait, and before and afterwards until they sleep. Ordinary threads just do it.
    /// </summary>
    /// <param name="action">What to do.</param>
    public static void Calmly(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        if (!IsScheduled)
        {
            action();
            return;
        }

        // Before: what others have begun ends in every order. After: it ends in one.
        ISchedule schedule = _current!;
        schedule.AwaitQuiet();
        bool wasCalm = schedule.BeginCalm();
        action();
        schedule.AwaitQuiet();
        if (!wasCalm)
        {
            schedule.EndCalm();
        }
    }

    /// <summary>Starts a thread: one of the caller's schedule, if the caller belongs to one, else an ordinary one in the background.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="body">What it does.</param>
    /// <returns>The thread.</returns>
    public static SeamThread Start(string name, Action body)
    {
        ArgumentNullException.ThrowIfNull(body);
        if (IsScheduled)
        {
            return new SeamThread(_current!.Start(name, body), thread: null);
        }

        Thread thread = new(() => body()) { IsBackground = true, Name = name };
        thread.Start();
        return new SeamThread(scheduled: null, thread);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Touch(object? owner, nint address, TouchKind kind)
    {
        if (_current is { } schedule)
        {
            StepKind step = kind switch
            {
                TouchKind.Read => StepKind.Read,
                TouchKind.Write => StepKind.Write,
                _ => StepKind.Add,
            };
            schedule.Point(new Step(step, owner, address));
        }
    }
}
