using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Faultline.Sync.Scheduling;

/// <summary>Goes through the tree of all schedules, depth first: each run takes the next path, as long as <see cref="Advance"/> says so.</summary>
/// <param name="maxPreemptions">How often a path may leave a thread that could have gone on.</param>
internal sealed class ExhaustiveStrategy(int maxPreemptions) : IScheduleStrategy
{
    /// <summary>The choices of the present path, first one first; those before <see cref="_depth"/> have been made in this run.</summary>
    private readonly List<Branch> _path = [];

    private int _depth;

    public int Choose(ReadOnlySpan<int> candidates, bool canGoOn)
    {
        if (_depth == _path.Count)
        {
            _path.Add(new Branch { Count = candidates.Length, CanGoOn = canGoOn });
        }

        Branch branch = _path[_depth++];
        if (branch.Count != candidates.Length || branch.CanGoOn != canGoOn)
        {
            throw Changed($"had {branch.Count} candidates in an earlier run and has {candidates.Length} now");
        }

        return branch.Choice;
    }

    /// <summary>Goes to the next path.</summary>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="InvalidOperationException">The last run did not follow its path.</exception>
    public bool Advance()
    {
        if (_depth < _path.Count)
        {
            throw Changed("was asked for another choice in an earlier run and has ended now");
        }

        _depth = 0;
        while (_path.Count > 0)
        {
            ref Branch last = ref CollectionsMarshal.AsSpan(_path)[^1];
            bool mayLeave = !last.CanGoOn || PreemptionsBeforeLast() < maxPreemptions;
            if (mayLeave && last.Choice + 1 < last.Count)
            {
                last.Choice++;
                return true;
            }

            _path.RemoveAt(_path.Count - 1);
        }

        return false;
    }

    private InvalidOperationException Changed(string how) => new(
        $"At choice {_depth} the program {how}: something in it is not decided by the schedule (a clock, a random number, a thread of its " +
        "own, state kept between runs).");

    private int PreemptionsBeforeLast()
    {
        int preemptions = 0;
        foreach (Branch branch in CollectionsMarshal.AsSpan(_path)[..^1])
        {
            preemptions += branch is { CanGoOn: true, Choice: > 0 } ? 1 : 0;
        }

        return preemptions;
    }

    private struct Branch
    {
        public int Choice;
        public int Count;
        public bool CanGoOn;
    }
}
