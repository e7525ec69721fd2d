using System.Collections.Generic;

namespace Faultline.Sync.Scheduling;

/// <summary>Which thread of a schedule holds which lock.</summary>
internal sealed class HeldLatches
{
    private readonly Dictionary<object, Holders> _held = new(ReferenceEqualityComparer.Instance);

    public bool IsFree(object latch, HoldMode mode) =>
        !_held.TryGetValue(latch, out Holders? holders)
        || (holders.Writer is null && (mode == HoldMode.Shared || holders.Readers.Count == 0));

    public void Take(object latch, HoldMode mode, int thread)
    {
        if (!_held.TryGetValue(latch, out Holders? holders))
        {
            _held.Add(latch, holders = new Holders());
        }

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

        if (mode == HoldMode.Shared)
        {
            holders.Readers.Remove(thread);
        }
        else
        {
            holders.Writer = null;
        }
    }

    public string Describe(object latch)
    {
        Holders holders = _held[latch];
        return holders.Writer is { } writer ? $"thread {writer}" : $"readers {string.Join(", ", holders.Readers)}";
    }

    private sealed class Holders
    {
        public int? Writer { get; set; }

        public List<int> Readers { get; } = [];
    }
}
