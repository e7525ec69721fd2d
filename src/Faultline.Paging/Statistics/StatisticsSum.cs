using System;

namespace Faultline.Paging;

/// <summary>Adds up counters and tables into one <see cref="PagerStatistics"/>.</summary>
internal sealed class StatisticsSum
{
    private readonly long[] _values = new long[(int)PagerCounter.Count];
    private readonly long[] _latencies = new long[LatencyHistogram.Buckets];
    private long _longest;
    private long _storeReads;
    private long _storeBytes;
    private long _failedLoads;
    private long _evicted;
    private long _guessed;
    private long _guessedUsed;
    private long _loadsAvoided;
    private long _resident;

    public void Add(PagerCounters counters)
    {
        counters.AddTo(_values);
        counters.Latency.AddTo(_latencies);
        _longest = Math.Max(_longest, counters.Latency.Longest);
    }

    public void Add(LoadTable table)
    {
        _storeReads += table.StoreReads;
        _storeBytes += table.StoreBytes;
        _failedLoads += table.FailedLoads;
        _evicted += table.EvictedPages;
        _guessed += table.Guesses.Guessed;
        _guessedUsed += table.Guesses.Used;
        _loadsAvoided += table.Guesses.LoadsAvoided;
        if (table.FillsCache)
        {
            _resident += table.States.Total(PageState.Cached) * (long)PageSize.Small;
        }
    }

    /// <summary>Adds what another sum has of tables that have ended; nothing of them is resident any more.</summary>
    public void AddTables(StatisticsSum ended)
    {
        _storeReads += ended._storeReads;
        _storeBytes += ended._storeBytes;
        _failedLoads += ended._failedLoads;
        _evicted += ended._evicted;
        _guessed += ended._guessed;
        _guessedUsed += ended._guessedUsed;
        _loadsAvoided += ended._loadsAvoided;
    }

    public PagerStatistics ToStatistics() => new()
    {
        MissingFaults = this[PagerCounter.MissingFaults],
        MinorFaults = this[PagerCounter.MinorFaults],
        WriteProtectFaults = this[PagerCounter.WriteProtectFaults],
        PagesContinued = this[PagerCounter.PagesContinued],
        PagesCopied = this[PagerCounter.PagesCopied],
        PagesZeroed = this[PagerCounter.PagesZeroed],
        PagesPoisoned = this[PagerCounter.PagesPoisoned],
        JoinedFaults = this[PagerCounter.JoinedFaults],
        ParkedFaults = this[PagerCounter.ParkedFaults],
        RetriedFaults = this[PagerCounter.RetriedFaults],
        AlreadyInstalled = this[PagerCounter.AlreadyInstalled],
        Wakes = this[PagerCounter.Wakes],
        Events = this[PagerCounter.Events],
        StoreReads = _storeReads,
        StoreBytes = _storeBytes,
        FailedLoads = _failedLoads,
        PagesEvicted = _evicted,
        PagesGuessed = _guessed,
        PagesGuessedUsed = _guessedUsed,
        LoadsAvoided = _loadsAvoided,
        ResidentBytes = _resident,
        Latency = new LatencySnapshot(_latencies, _longest),
    };

    private long this[PagerCounter counter] => _values[(int)counter];
}
