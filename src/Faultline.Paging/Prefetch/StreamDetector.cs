using System;
using System.Collections.Generic;

namespace Faultline.Paging;

/// <summary>
/// Finds order in the touches of one region, and guesses what comes next. Three touches with the same distance are a stride, two side by side a run;
/// three loads that lie near each other without order are a neighbourhood, whose other chunks are guessed.
/// </summary>
/// <remarks>A policy: it knows page numbers only. Guarded by its owner.</remarks>
internal sealed class StreamDetector
{
    /// <summary>Touches that belong to no stream, looked through for new ones.</summary>
    private const int Remembered = 16;

    /// <summary>Chunks of one neighbourhood.</summary>
    private const int NeighbourhoodChunks = 8;

    /// <summary>Other chunks of a neighbourhood that were loaded lately, from which on the rest is guessed.</summary>
    private const int EnoughNeighbours = 2;

    /// <summary>Loads a new stream is ahead at the most; what streams before it were worth lowers that.</summary>
    private const int MostOpening = 2;

    private readonly int _chunk;
    private readonly int _pages;
    private readonly int _largest;
    private readonly int _mostAhead;
    private readonly int _longestStride;
    private readonly int _mostStreams;
    private readonly List<GuessStream> _streams = [];
    private readonly PageNeed[] _recent = new PageNeed[Remembered];
    private int _recentCount;
    private int _recentNext;
    private int _opening = MostOpening;
    private int _neighbours = EnoughNeighbours;
    private bool _neighboursWereRight = true;
    private long _touches;

    /// <summary>Makes one that has seen nothing.</summary>
    /// <param name="options">How far guesses go.</param>
    /// <param name="pages">The pages of the image.</param>
    /// <param name="chunkPages">The pages of one load.</param>
    /// <param name="largestPages">The most pages of one load.</param>
    /// <param name="mostPages">The most pages ahead, or zero for what the options say: the budget may not allow it.</param>
    /// <param name="pageBytes">The size of a page.</param>
    public StreamDetector(PrefetchOptions options, int pages, int chunkPages, int largestPages, long mostPages, int pageBytes)
    {
        _pages = pages;
        _chunk = chunkPages;
        _largest = Math.Max(chunkPages, largestPages);
        long ahead = options.AheadBytes / pageBytes;
        _mostAhead = (int)Math.Max(1, (mostPages == 0 ? ahead : Math.Min(ahead, mostPages)) / chunkPages);
        _longestStride = Math.Max(1, options.LongestStrideBytes / pageBytes);
        _mostStreams = options.Streams;
    }

    /// <summary>Takes note of a touch, and makes guesses.</summary>
    /// <param name="need">The touch.</param>
    /// <param name="sink">Takes the guesses.</param>
    public void Observe(in PageNeed need, IGuessSink sink)
    {
        _touches++;
        foreach (GuessStream stream in _streams)
        {
            if (stream.Repeats(in need))
            {
                stream.Widen(in need);
                return;
            }
        }

        if (FindContinued(in need) is { } continued)
        {
            continued.UsedAt = _touches;
            continued.Advance(in need, _mostAhead);
            _opening = continued.Hits == 1 ? MostOpening : _opening;
            continued.Guess(sink, _pages, _largest);
            return;
        }

        if (IsRemembered(in need))
        {
            return;
        }

        if (need.Outcome == TouchOutcome.Guessed)
        {
            _neighboursWereRight = true;
        }

        if (StepTo(in need) is int step and not 0)
        {
            GuessStream begun = new(_chunk, in need, step, Math.Min(_opening, _mostAhead)) { UsedAt = _touches };
            Keep(begun);
            begun.Guess(sink, _pages, _largest);
        }
        else if (need.Outcome == TouchOutcome.Loaded)
        {
            GuessNeighbours(in need, sink);
        }

        Remember(in need);
    }

    private GuessStream? FindContinued(in PageNeed need)
    {
        foreach (GuessStream stream in _streams)
        {
            if (stream.IsContinuedBy(in need))
            {
                return stream;
            }
        }

        return null;
    }

    private bool IsRemembered(in PageNeed need)
    {
        for (int i = 0; i < _recentCount; i++)
        {
            if (_recent[i].Page == need.Page)
            {
                _recent[i] = need with { First = Math.Min(need.First, _recent[i].First), End = Math.Max(need.End, _recent[i].End) };
                return true;
            }
        }

        return false;
    }

    /// <summary>The step of a stream that this touch makes out of those before it, or zero.</summary>
    private int StepTo(in PageNeed need)
    {
        int tolerance = Math.Max(1, _chunk / 4);
        for (int i = 0; i < _recentCount; i++)
        {
            ref readonly PageNeed before = ref _recent[i];
            if (need.Page >= before.End && need.Page < before.End + tolerance)
            {
                return 1;
            }

            if (need.Page < before.First && need.Page >= before.First - tolerance)
            {
                return -1;
            }
        }

        for (int i = 0; i < _recentCount; i++)
        {
            int step = need.Page - _recent[i].Page;
            if (Math.Abs(step) <= _longestStride && IsRemembered(_recent[i].Page - step))
            {
                return Math.Abs(step) < 2 * _chunk ? Math.Sign(step) : step;
            }
        }

        return 0;
    }

    private bool IsRemembered(int page)
    {
        for (int i = 0; i < _recentCount; i++)
        {
            if (_recent[i].Page == page)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Keeps a new stream, in place of the one not used for longest if there are too many.</summary>
    private void Keep(GuessStream begun)
    {
        if (_streams.Count < _mostStreams)
        {
            _streams.Add(begun);
            return;
        }

        int oldest = 0;
        for (int i = 1; i < _streams.Count; i++)
        {
            if (_streams[i].UsedAt < _streams[oldest].UsedAt)
            {
                oldest = i;
            }
        }

        if (_streams[oldest].Hits == 0)
        {
            _opening = 1;
        }

        _streams[oldest] = begun;
    }

    private void GuessNeighbours(in PageNeed need, IGuessSink sink)
    {
        int size = NeighbourhoodChunks * _chunk;
        int low = need.Page / size * size;
        int near = 0;
        for (int i = 0; i < _recentCount; i++)
        {
            ref readonly PageNeed before = ref _recent[i];
            if (before.Outcome == TouchOutcome.Loaded && before.Page >= low && before.Page < low + size && before.Page / _chunk != need.Page / _chunk)
            {
                near++;
            }
        }

        if (near < EnoughNeighbours)
        {
            return;
        }

        _neighbours = _neighboursWereRight ? Math.Min(NeighbourhoodChunks, _neighbours * 2) : Math.Max(1, _neighbours / 2);
        _neighboursWereRight = false;
        int own = need.Page / _chunk;
        int left = _neighbours;
        for (int distance = 1; distance < NeighbourhoodChunks && left > 0; distance++)
        {
            left -= GuessChunk(own + distance, low, low + size, sink) ? 1 : 0;
            left -= left > 0 && GuessChunk(own - distance, low, low + size, sink) ? 1 : 0;
        }
    }

    private bool GuessChunk(int chunk, int low, int high, IGuessSink sink)
    {
        int first = chunk * _chunk;
        return first >= low && first < Math.Min(high, _pages) && sink.TryGuess(first, Math.Min(first + _chunk, _pages));
    }

    private void Remember(in PageNeed need)
    {
        _recent[_recentNext] = need;
        _recentNext = (_recentNext + 1) % Remembered;
        _recentCount = Math.Min(Remembered, _recentCount + 1);
    }
}
