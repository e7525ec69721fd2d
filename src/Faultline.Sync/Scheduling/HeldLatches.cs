using System;
using System.Collections.Generic;

namespace Faultline.Sync.Scheduling;

/// <summary>Which thread of a schedule holds which lock.</summary>
internal sealed class HeldLatches
{
    private readonly Dictionary<object, Holders> _held = new(ReferenceEqualityComparer.Instance);

    private int _holds;

    public bool IsFree(object latch, HoldMode mode) =>
        !_held.TryGetValue(latch, out Holders? holders)
        || (holders.Writer is null && (mode == HoldMode.Shared || holders.Readers.Count == 0));

    public void Take(object latch, HoldMode mode, int thread)
    {
        if (!_held.TryGetValue(latch, out Holders? holders))
        {
            _held.Add(latch, holders = new Holders());
        }

        _holds++;
        if (mode == HoldMode.Shared)
        {
            holders.Readers.Add(thread);
        }
        else
        {
            holders.Writer = thread;
        }
    }

    public void LetGo(object latch, HoldMode mode, int thread)
    {
        if (!_held.TryGetValue(latch, out Holders? holders))
        {
            // Taken before the schedule began, by the code that made the program.
            return;
        }

        _holds--;
        if (mode == HoldMode.Shared)
        {
            holders.Readers.Remove(thread);
        }
        else
        {
            holders.Writer = null;
        }
    }

    /// <summary>Whether no thread of the schedule holds any lock.</summary>
    public bool AreAllFree => _holds == 0;

    public string Describe(object latch, Func<int, string> nameOf)
    {
        Holders holders = _held[latch];
        return holders.Writer is { } writer ? nameOf(writer) : $"readers {string.Join(", ", holders.Readers.ConvertAll(reader => nameOf(reader)))}";
    }

    private sealed class Holders
    {
        public int? Writer { get; set; }

        public List<int> Readers { get; } = [];
    }
}
