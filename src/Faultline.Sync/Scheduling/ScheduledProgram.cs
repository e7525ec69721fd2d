using System;
using System.Collections.Generic;

namespace Faultline.Sync.Scheduling;

/// <summary>
/// A small concurrent program, made afresh for each schedule. Its threads may share memory only through what they are given here, and may
/// wait only in the locks and parkers of this library.
/// </summary>
/// <param name="Threads">What each thread does.</param>
/// <param name="Check">Looks at the result after the last thread has ended, and throws if it is wrong.</param>
public sealed record ScheduledProgram(IReadOnlyList<Action> Threads, Action? Check = null);
