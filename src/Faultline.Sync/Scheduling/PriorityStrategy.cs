using System;
using System.Collections.Generic;

namespace Faultline.Sync.Scheduling;

/// <summary>
/// Runs the thread with the highest of random priorities, and lowers the priority of whoever runs at a few random places (Burckhardt and others, "A
/// randomized scheduler with probabilistic guarantees of finding bugs", 2010).
/// </summary>
internal sealed class PriorityStrategy : IScheduleStrategy
{
    private readonly Random _random;
    private readonly Dictionary<int, int> _priorities = [];
    private readonly HashSet<int> _changes = [];
    private int _lowest;
    private int _choices;

    /// <param name="seed">The seed.</param>
    /// <param name="changes">How many changes of priority: a bug that needs so many preemptions can be found.</param>
    /// <param name="length">About how many choices a schedule has.</param>
    public PriorityStrategy(int seed, int changes, int length)
    {
        _random = new Random(seed);
        for (int i = 0; i < changes; i++)
        {
            _changes.Add(_random.Next(length));
        }
    }

    /// <summary>How many choices were made.</summary>
    public int Choices => _choices;

    public int Choose(ReadOnlySpan<int> candidates, bool canGoOn)
    {
        int best = Best(candidates);
        if (_changes.Contains(_choices++))
        {
            _priorities[candidates[best]] = --_lowest;
            best = Best(candidates);
        }

        return best;
    }

    private int Best(ReadOnlySpan<int> candidates)
    {
        int best = 0;
        for (int i = 0; i < candidates.Length; i++)
        {
            best = PriorityOf(candidates[i]) > PriorityOf(candidates[best]) ? i : best;
        }

        return best;
    }

    private int PriorityOf(int thread)
    {
        if (!_priorities.TryGetValue(thread, out int priority))
        {
            priority = _random.Next(1, int.MaxValue);
            _priorities.Add(thread, priority);
        }

        return priority;
    }
}
