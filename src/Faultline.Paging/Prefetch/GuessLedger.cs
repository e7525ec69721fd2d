using System;
using System.Threading;

namespace Faultline.Paging;

/// <summary>
/// What one image's guesses have come to, and whether another one may begin. Decisions and changes are made under the table's lock, except for taking
/// note of pages used.
/// </summary>
internal sealed class GuessLedger
{
    /// <summary>A part of this many of the loads at a time stays free for wanted pages.</summary>
    private const int PartForWanted = 4;

    /// <summary>The weight of what was before in the average latency.</summary>
    private const int Inertia = 8;

    private readonly int _slots;
    private readonly long _leastNanoseconds;
    private readonly long _mostOccupied;

    /// <summary>Pages that a guess brought and nobody has used yet; null where nothing is guessed.</summary>
    private readonly PageBits? _unused;

    /// <summary>Guesses being read that nobody waits for. Guard: the table's lock.</summary>
    private int _reading;

    private int _unusedPages;
    private long _averageNanoseconds;
    private long _guessed;
    private long _used;
    private long _promoted;
    private long _givenUp;
    private long _loadsAvoided;

    /// <summary>Begins with nothing.</summary>
    /// <param name="options">How much is guessed.</param>
    /// <param name="pages">The pages of the image.</param>
    /// <param name="roomPages">How much of the budget guesses may fill; zero or less where there is none.</param>
    /// <param name="storeReadsAtOnce">How many reads the store works on at a time.</param>
    public GuessLedger(PrefetchOptions options, int pages, long roomPages, int storeReadsAtOnce)
    {
        _slots = Math.Min(options.LoadsAtOnce, storeReadsAtOnce);
        _leastNanoseconds = (long)options.LeastLatency.TotalNanoseconds;
        _mostOccupied = roomPages > 0 ? roomPages : long.MaxValue;
        _unused = IsOn ? new PageBits(pages) : null;
    }

    /// <summary>Whether guesses are made at all: not where wanted pages need every load there may be.</summary>
    public bool IsOn => GuessSlots > 0;

    /// <summary>Whether the store is slow enough for guesses to be worth their cost.</summary>
    public bool IsWorthwhile => IsOn && Volatile.Read(ref _averageNanoseconds) is var latency and not 0 && latency >= _leastNanoseconds;

    /// <summary>Pages brought by guesses.</summary>
    public long Guessed => Volatile.Read(ref _guessed);

    /// <summary>Pages of those that somebody used.</summary>
    public long Used => Interlocked.Read(ref _used);

    /// <summary>Guesses that were wanted while they were read.</summary>
    public long Promoted => Volatile.Read(ref _promoted);

    /// <summary>Faults and leases whose page a guess had brought, or was bringing.</summary>
    public long LoadsAvoided => Interlocked.Read(ref _loadsAvoided);

    /// <summary>Guesses given up, for the budget.</summary>
    public long GivenUp => Interlocked.Read(ref _givenUp);

    private int GuessSlots => _slots - Math.Max(1, _slots / PartForWanted);

    /// <summary>How a page that is to be leased is found.</summary>
    public TouchOutcome OutcomeOf(PageState state, int page) => state switch
    {
        PageState.Loading when Volatile.Read(ref _reading) != 0 => TouchOutcome.Guessed,
        PageState.Absent or PageState.Failed => TouchOutcome.Loaded,
        _ => IsUnused(page) ? TouchOutcome.Guessed : TouchOutcome.Cached,
    };

    /// <summary>Whether a guess brought a page that nobody has used yet.</summary>
    public bool IsUnused(int page) => _unused is { } unused && Volatile.Read(ref _unusedPages) != 0 && unused[page];

    /// <summary>Whether pages may be brought that nobody has asked for. The table's lock is held.</summary>
    /// <param name="states">The states of the pages.</param>
    /// <param name="first">The first page; afterwards the first that is absent.</param>
    /// <param name="end">The end; afterwards that of the absent pages from there on.</param>
    /// <param name="loads">Loads under way.</param>
    /// <param name="occupied">Pages in the cache, or on their way.</param>
    public GuessStart Look(PageStates states, ref int first, ref int end, int loads, long occupied)
    {
        while (first < end && states[first] != PageState.Absent)
        {
            first++;
        }

        int last = first;
        while (last < end && states[last] == PageState.Absent)
        {
            last++;
        }

        end = last;
        if (first == end)
        {
            return GuessStart.Needless;
        }

        if (occupied + (end - first) > _mostOccupied)
        {
            Interlocked.Increment(ref _givenUp);
            return GuessStart.GivenUp;
        }

        return loads >= _slots || _reading >= GuessSlots ? GuessStart.NoSlot : GuessStart.Begun;
    }

    /// <summary>A guess is being read. The table's lock is held.</summary>
    public void Begin(PageLoad load)
    {
        load.BeginAsGuess();
        _reading++;
    }

    /// <summary>Someone wants a page that is being read: if it was a guess, it is one no more. The table's lock is held.</summary>
    public void Promote(PageLoad load, PagerCore core)
    {
        if (!load.IsWanted)
        {
            load.Promote(core.Now());
            _reading--;
            _promoted++;
            core.Prefetcher.SlotFreed();
        }
    }

    /// <summary>A load has ended. The table's lock is held.</summary>
    /// <param name="load">The load.</param>
    /// <param name="nanoseconds">How long it took; zero if the store answered at once.</param>
    /// <param name="isOk">Whether its pages are in the cache.</param>
    public void End(PageLoad load, long nanoseconds, bool isOk)
    {
        if (!load.IsWanted)
        {
            _reading--;
        }
        else if (!load.IsGuess)
        {
            // A store that answers at once costs the processor, which guesses would only take from those who want something.
            _averageNanoseconds = _averageNanoseconds == 0 ? nanoseconds : ((_averageNanoseconds * (Inertia - 1)) + nanoseconds) / Inertia;
        }

        if (load.IsGuess && isOk && _unused is { } unused)
        {
            _guessed += load.Count;
            unused.Set(load.First, load.Count);
            Interlocked.Add(ref _unusedPages, load.Count);
        }
    }

    /// <summary>A page that is touched had been guessed.</summary>
    public void NoteHit() => Interlocked.Increment(ref _loadsAvoided);

    /// <summary>Pages were installed for a fault, or leased.</summary>
    public void NoteUsed(int first, int count)
    {
        if (Volatile.Read(ref _unusedPages) != 0)
        {
            Interlocked.Add(ref _used, Forget(first, count));
        }
    }

    /// <summary>Pages are used, or leave the cache.</summary>
    /// <returns>How many of them a guess had brought for nobody so far.</returns>
    public int Forget(int first, int count)
    {
        if (_unused is not { } unused || Volatile.Read(ref _unusedPages) == 0)
        {
            return 0;
        }

        int forgotten = unused.Take(first, count);
        Interlocked.Add(ref _unusedPages, -forgotten);
        return forgotten;
    }
}
