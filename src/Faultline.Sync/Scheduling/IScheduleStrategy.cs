using System;

namespace Faultline.Sync.Scheduling;

/// <summary>Chooses which thread runs on.</summary>
public interface IScheduleStrategy
{
    /// <summary>Chooses. Asked only where there is a choice: never with fewer than two candidates.</summary>
    /// <param name="candidates">The threads that can run, by number; the one that has just run comes first, if it can go on.</param>
    /// <param name="canGoOn">Whether the first candidate is the thread that has just run: any other choice preempts it.</param>
    /// <returns>The place of the choice in <paramref name="candidates"/>.</returns>
    int Choose(ReadOnlySpan<int> candidates, bool canGoOn);
}
