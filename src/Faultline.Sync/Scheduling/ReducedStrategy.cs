using System;
using System.Collections.Generic;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Faultline.Sync.Scheduling;

/// <summary>
/// Goes through schedules depth first, but of those that differ only in the order of steps that do not touch the same thing runs one: a
/// step is tried earlier only where a race shows that its place matters.
/// </summary>
/// <remarks>
/// Without a bound on preemptions: source sets and sleep sets (Abdulla and others, "Optimal dynamic partial order reduction", 2014). With one: no
/// sleep sets, and a second, conservative place for each race (Coons and others, "Bounded partial-order reduction", 2013).
/// </remarks>
/// <param name="maxPreemptions">How often a schedule may leave a thread that could have gone on.</param>
internal sealed class ReducedStrategy(int maxPreemptions) : IStepStrategy
{
    private readonly StepHistory _history = new();

    /// <summary>The choices of the present schedule; those before <see cref="_depth"/> have been made in this run.</summary>
    private readonly List<Node> _nodes = [];

    private int _depth;

    /// <summary>From this depth on the present schedule is new.</summary>
    private int _freshFrom;

    private uint _childSleep;

    private bool IsBounded => maxPreemptions != int.MaxValue;

    public void Started(int parent) => _history.Start(_threadCount++, parent);

    private int _threadCount;

    public int Choose(List<ScheduledThread> threads, uint runnable, int last)
    {
        if (_depth == 0)
        {
            // Threads may have started others before, where nothing was to be chosen.
            _history.Clear();
            _threadCount = threads.Count;
            _childSleep = 0;
        }

        if (threads.Count > StepHistory.MaxThreads)
        {
            throw new InvalidOperationException($"The reduced search follows {StepHistory.MaxThreads} threads, not {threads.Count}.");
        }

        int depth = _depth;
        if (depth == _nodes.Count && !TryAdd(runnable, last))
        {
            return -1;
        }

        Node node = _nodes[depth];
        if (node.Enabled != runnable)
        {
            throw Changed($"could run threads {node.Enabled:b} in an earlier run and can run {runnable:b} now");
        }

        _depth++;
        ScheduledThread chosen = threads[node.Chosen];
        Step step = chosen.Next;
        _childSleep = 0;
        for (uint left = node.Sleep; left != 0; left &= left - 1)
        {
            int sleeper = BitOperations.TrailingZeroCount(left);
            _childSleep |= step.DependsOn(threads[sleeper].Next) ? 0 : 1u << sleeper;
        }

        _history.Append(node.Chosen, in step, chosen.ComesAfterAll);
        if (depth >= _freshFrom)
        {
            foreach (int race in _history.Races)
            {
                TryEarlier(race, node.Chosen, depth);
            }
        }

        return node.Chosen;
    }

    /// <summary>Goes to the next schedule.</summary>
    /// <returns>Whether there is one.</returns>
    public bool Advance()
    {
        if (_depth < _nodes.Count)
        {
            throw Changed("was asked for another choice in an earlier run and has ended now");
        }

        _depth = 0;
        while (_nodes.Count > 0)
        {
            ref Node node = ref CollectionsMarshal.AsSpan(_nodes)[^1];
            node.Done |= 1u << node.Chosen;
            if (!IsBounded)
            {
                node.Sleep |= 1u << node.Chosen;
            }

            uint left = node.Backtrack & Allowed(in node) & ~node.Done & ~node.Sleep;
            if (left != 0)
            {
                node.Chosen = BitOperations.TrailingZeroCount(left);
                _freshFrom = _nodes.Count - 1;
                return true;
            }

            _nodes.RemoveAt(_nodes.Count - 1);
        }

        return false;
    }

    private bool TryAdd(uint runnable, int last)
    {
        Node node = new() { Enabled = runnable, Last = last, Sleep = IsBounded ? 0 : _childSleep };
        if (_nodes.Count > 0)
        {
            Node parent = _nodes[^1];
            node.Preemptions = parent.Preemptions + (parent.CanGoOn && parent.Chosen != parent.Last ? 1 : 0);
        }

        uint choices = Allowed(in node) & ~node.Sleep;
        if (choices == 0)
        {
            return false;
        }

        bool goesOn = last >= 0 && (choices & (1u << last)) != 0;
        node.Chosen = goesOn ? last : BitOperations.TrailingZeroCount(choices);
        node.Backtrack = 1u << node.Chosen;
        _nodes.Add(node);
        return true;
    }

    private uint Allowed(in Node node) =>
        node.CanGoOn && node.Preemptions >= maxPreemptions ? 1u << node.Last : node.Enabled;

    /// <summary>Has a later step tried before an earlier one that it races with.</summary>
    private void TryEarlier(int race, int thread, int depth)
    {
        Span<Node> nodes = CollectionsMarshal.AsSpan(_nodes);
        if (IsBounded)
        {
            int block = race;
            while (block > 0 && nodes[block - 1].Chosen == nodes[race].Chosen)
            {
                block--;
            }

            Add(ref nodes[race], thread);
            Add(ref nodes[block], thread);
            return;
        }

        ref Node node = ref nodes[race];
        uint initials = Initials(race, depth);
        if ((initials & (node.Backtrack | node.Sleep)) != 0)
        {
            return;
        }

        uint possible = initials & node.Enabled;
        uint own = possible & (1u << thread);
        node.Backtrack |= own != 0 ? own : possible != 0 ? possible & (~possible + 1) : node.Enabled;
    }

    private static void Add(ref Node node, int thread) =>
        node.Backtrack |= (node.Enabled & (1u << thread)) != 0 ? 1u << thread : node.Enabled;

    /// <summary>The threads that may come first in what followed a step without having to, up to and with the racing step.</summary>
    private uint Initials(int race, int depth)
    {
        Span<int> firsts = stackalloc int[StepHistory.MaxThreads];
        firsts.Fill(-1);
        uint initials = 0;
        for (int at = race + 1; at <= depth; at++)
        {
            int mover = _history.ThreadAt(at);
            if (firsts[mover] >= 0 || (at < depth && _history.IsBefore(race, at)))
            {
                continue;
            }

            bool isFirst = true;
            for (int other = 0; other < firsts.Length; other++)
            {
                isFirst &= firsts[other] < 0 || !_history.IsBefore(firsts[other], at);
            }

            firsts[mover] = at;
            initials |= isFirst ? 1u << mover : 0;
        }

        return initials;
    }

    private InvalidOperationException Changed(string how) => new(
        $"At choice {_depth} the program {how}: something in it is not decided by the schedule (a clock, a random number, a thread of its " +
        "own, state kept between runs).");

    private struct Node
    {
        public int Chosen;

        /// <summary>Who made the step before.</summary>
        public int Last;

        public int Preemptions;

        /// <summary>Who could run.</summary>
        public uint Enabled;

        /// <summary>Who is to be tried.</summary>
        public uint Backtrack;

        /// <summary>Who has been tried here.</summary>
        public uint Done;

        /// <summary>Who needs not be tried: what would follow has been run elsewhere.</summary>
        public uint Sleep;

        public readonly bool CanGoOn => Last >= 0 && (Enabled & (1u << Last)) != 0;
    }
}
