using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;

namespace Faultline.Sync.Scheduling;

/// <summary>
/// The steps of one schedule with their vector clocks: which step had to come before which, and which pairs happened in one order and could
/// have happened in the other.
/// </summary>
/// <remarks>
/// A step's time is its depth plus one; the clock of a step says, for each thread, up to which of that thread's steps it had to come after. See
/// Flanagan and Godefroid, "Dynamic partial-order reduction for model checking software" (2005).
/// </remarks>
internal sealed class StepHistory
{
    /// <summary>The most threads.</summary>
    public const int MaxThreads = 16;

    private readonly Dictionary<Place, int> _places = new(PlaceComparer.Instance);

    /// <summary>For each place the time of each thread's last step of each kind there. Kept for the next schedule.</summary>
    private readonly List<int[]> _lasts = [];

    private readonly List<int> _threads = [];

    /// <summary>The clock of each thread now.</summary>
    private readonly int[] _now = new int[MaxThreads * MaxThreads];

    /// <summary>The time of each thread's last step that does not say what it is, and of its last one that is not local.</summary>
    private readonly int[] _lastAny = new int[MaxThreads];

    private readonly int[] _lastShared = new int[MaxThreads];

    private readonly int[] _candidates = new int[MaxThreads];

    private int[] _clocks = new int[512 * MaxThreads];

    /// <summary>The races of the last step: depths of steps that could have come after it.</summary>
    public List<int> Races { get; } = [];

    public int ThreadAt(int depth) => _threads[depth];

    /// <summary>Whether the step at one depth had to come before the one at a greater depth.</summary>
    public bool IsBefore(int depth, int later) => _clocks[(later * MaxThreads) + _threads[depth]] > depth;

    public void Clear()
    {
        _places.Clear();
        _threads.Clear();
        _now.AsSpan().Clear();
        _lastAny.AsSpan().Clear();
        _lastShared.AsSpan().Clear();
    }

    /// <summary>A thread begins that another one started.</summary>
    public void Start(int child, int parent) => ClockOf(parent).CopyTo(ClockOf(child));

    /// <summary>Adds a step.</summary>
    /// <param name="thread">Whose.</param>
    /// <param name="step">Which.</param>
    /// <param name="comesAfterAll">Whether it comes because nobody else could run: a sleep that ran out.</param>
    public void Append(int thread, in Step step, bool comesAfterAll)
    {
        int time = _threads.Count + 1;
        Races.Clear();
        _candidates.AsSpan().Clear();
        Span<int> own = ClockOf(thread);
        Span<int> before = stackalloc int[MaxThreads];
        own.CopyTo(before);
        if (comesAfterAll)
        {
            for (int other = 0; other < MaxThreads; other++)
            {
                Join(own, ClockOf(other));
            }
        }

        switch (step.Kind)
        {
            case StepKind.Local:
                break;
            case StepKind.Any:
                After(own, _lastShared, thread);
                break;
            default:
                After(own, _lastAny, thread);
                AtPlace(own, thread, in step, time);
                break;
        }

        if (step.Target is ScheduledThread ended)
        {
            Join(own, ClockOf(ended.Number));
        }

        FindRaces(before);
        own[thread] = time;
        if (step.Kind != StepKind.Local)
        {
            _lastShared[thread] = time;
        }

        if (step.Kind == StepKind.Any)
        {
            _lastAny[thread] = time;
        }

        _threads.Add(thread);
        if (_clocks.Length < time * MaxThreads)
        {
            Array.Resize(ref _clocks, _clocks.Length * 2);
        }

        own.CopyTo(_clocks.AsSpan((time - 1) * MaxThreads));
    }

    private static void Join(Span<int> clock, ReadOnlySpan<int> other)
    {
        for (int thread = 0; thread < MaxThreads; thread++)
        {
            clock[thread] = Math.Max(clock[thread], other[thread]);
        }
    }

    private Span<int> ClockOf(int thread) => _now.AsSpan(thread * MaxThreads, MaxThreads);

    private ReadOnlySpan<int> ClockAt(int time) => _clocks.AsSpan((time - 1) * MaxThreads, MaxThreads);

    private void After(Span<int> own, int[] lasts, int thread)
    {
        for (int other = 0; other < MaxThreads; other++)
        {
            if (other != thread && lasts[other] != 0)
            {
                _candidates[other] = Math.Max(_candidates[other], lasts[other]);
                Join(own, ClockAt(lasts[other]));
            }
        }
    }

    private void AtPlace(Span<int> own, int thread, in Step step, int time)
    {
        int[] lasts = LastsOf(new Place(step.Target, step.Address));
        for (int other = 0; other < MaxThreads; other++)
        {
            if (other == thread)
            {
                continue;
            }

            for (int kind = 0; kind < Step.Kinds; kind++)
            {
                int last = lasts[(other * Step.Kinds) + kind];
                if (last == 0 || !Step.Depends((StepKind)kind, step.Kind))
                {
                    continue;
                }

                Join(own, ClockAt(last));
                if (Step.Races((StepKind)kind, step.Kind))
                {
                    _candidates[other] = Math.Max(_candidates[other], last);
                }
            }
        }

        lasts[(thread * Step.Kinds) + (int)step.Kind] = time;
    }

    /// <summary>A candidate is a race if nothing else put it before this step.</summary>
    private void FindRaces(ReadOnlySpan<int> before)
    {
        for (int thread = 0; thread < MaxThreads; thread++)
        {
            int time = _candidates[thread];
            bool isRace = time != 0 && before[thread] < time;
            for (int other = 0; isRace && other < MaxThreads; other++)
            {
                isRace = other == thread || _candidates[other] == 0 || ClockAt(_candidates[other])[thread] < time;
            }

            if (isRace)
            {
                Races.Add(time - 1);
            }
        }
    }

    private int[] LastsOf(Place place)
    {
        if (!_places.TryGetValue(place, out int number))
        {
            number = _places.Count;
            _places.Add(place, number);
            if (number == _lasts.Count)
            {
                _lasts.Add(new int[MaxThreads * Step.Kinds]);
            }
            else
            {
                _lasts[number].AsSpan().Clear();
            }
        }

        return _lasts[number];
    }

    private readonly record struct Place(object? Target, nint Address);

    private sealed class PlaceComparer : IEqualityComparer<Place>
    {
        public static PlaceComparer Instance { get; } = new();

        public bool Equals(Place x, Place y) => ReferenceEquals(x.Target, y.Target) && x.Address == y.Address;

        public int GetHashCode(Place obj) => (RuntimeHelpers.GetHashCode(obj.Target) * 31) + obj.Address.GetHashCode();
    }
}
