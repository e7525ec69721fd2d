using System;
using System.Collections.Generic;

namespace Faultline.Sync.Scheduling;

/// <summary>
/// A small concurrent program, made afresh for each schedule. Its threads may share memory only through what they are given here, and may
/// wait only in the locks and parkers of this library.
/// </summary>
/// <param name="Threads">What each thread does.</param>
/// <param name="Check">Looks at the result after the last thread has ended, and throws if it is wrong.</param>
public sealed record ScheduledProgram(IReadOnlyList<Action> Threads, Action? Check = null)
{
    /// <summary>What the threads are called in messages; null for their numbers.</summary>
    public IReadOnlyList<string>? ThreadNames { get; init; }

    /// <summary>
    /// Looks at the state whenever no lock is held and every thread has ended, sleeps or has not begun, and throws if it is wrong. Without points.
    /// </summary>
    public Action? QuietCheck { get; init; }

    /// <summary>Gives back what the program took; called after every schedule, also after one that was cut short with locks held.</summary>
    public Action? Cleanup { get; init; }
}
