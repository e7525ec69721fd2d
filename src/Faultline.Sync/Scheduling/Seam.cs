using System;
using System.Diagnostics.CodeAnalysis;

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

    /// <summary>The scheduler that the calling thread belongs to; null for ordinary threads.</summary>
    public static ISchedule? Current
    {
        get => _current;
        internal set => _current = value;
    }

    /// <summary>
    /// Lets a scheduler choose another thread here. For code that shares memory without a lock: between its reads and writes nothing
    /// else tells a scheduler that the order matters.
    /// </summary>
    public static void Point()
    {
        if (IsOn)
        {
            _current?.Point();
        }
    }
}
