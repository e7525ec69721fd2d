using System;
using System.Collections.Generic;

namespace Faultline.Paging;

/// <summary>Chunks that leave the cache together, and the runs of pages they make. One for each thread that evicts; allocates nothing in use.</summary>
internal sealed class EvictionBatch
{
    /// <summary>The most chunks of one batch.</summary>
    public const int MostChunks = 128;

    private readonly int[] _victims = new int[MostChunks];
    private readonly PageRun[] _runs = new PageRun[MostChunks];
    private readonly int[] _written = new int[MostChunks];
    private readonly int[] _watched = new int[MostChunks];
    private int _watchedCount;
    private int _runCount;
    private int _writtenCount;

    /// <summary>Room for the chunks that a policy names.</summary>
    public Span<int> Victims(int most) => _victims.AsSpan(0, most);

    /// <summary>The pages to take out, in order.</summary>
    public ReadOnlySpan<PageRun> Runs => _runs.AsSpan(0, _runCount);

    /// <summary>Chunks that would go, and must be stored first; in order.</summary>
    public ReadOnlySpan<int> Written => _written.AsSpan(0, _writtenCount);

    /// <summary>Chunks whose next touch a policy wants to know.</summary>
    public Span<int> Watched => _watched.AsSpan(0, _watchedCount);

    /// <summary>Room for runs of <see cref="Watched"/>.</summary>
    public List<PageRun> WatchedRuns { get; } = [];

    /// <summary>Room for what is mapped of them.</summary>
    public PageRegion[] Found { get; } = new PageRegion[64];

    public void TryWatch(int chunk)
    {
        if (_watchedCount < MostChunks)
        {
            _watched[_watchedCount++] = chunk;
        }
    }

    /// <summary>Forgets the watched chunks of which something is not so.</summary>
    public void KeepWatched(Predicate<int> keep)
    {
        int kept = 0;
        for (int i = 0; i < _watchedCount; i++)
        {
            if (keep(_watched[i]))
            {
                _watched[kept++] = _watched[i];
            }
        }

        _watchedCount = kept;
    }

    public void ClearWatched() => _watchedCount = 0;

    public void Clear()
    {
        _runCount = 0;
        _writtenCount = 0;
    }

    public void AddWritten(int chunk)
    {
        // A policy may name one twice.
        if (_writtenCount == 0 || _written[_writtenCount - 1] != chunk)
        {
            _written[_writtenCount++] = chunk;
        }
    }

    public void Add(PageRun run) => _runs[_runCount++] = run;

    /// <summary>Makes the last run longer.</summary>
    public void ExtendTo(int end) => _runs[_runCount - 1] = _runs[_runCount - 1] with { Count = end - _runs[_runCount - 1].First };
}
