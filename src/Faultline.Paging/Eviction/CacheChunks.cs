using System;
using System.Collections.Generic;
using System.Numerics;

namespace Faultline.Paging;

/// <summary>
/// The chunks of an image that may be evicted: which are in memory, which are leased, which were used. The owner of the states guards it with its lock; only
/// <see cref="MarkUsed"/> needs none.
/// </summary>
internal sealed class CacheChunks
{
    /// <summary>The most pages between two chunks that are punched out together with them: holes, which cost next to nothing.</summary>
    private const int LongestBridge = 128;

    private readonly PageStates _states;
    private readonly IEvictionPolicy _policy;
    private readonly EvictionView _view;

    /// <summary>How many leases hold each chunk.</summary>
    private readonly int[] _pins;

    /// <summary>Whether each chunk was used since the policy last asked. Set without the lock: a guess.</summary>
    private readonly bool[] _used;

    /// <summary>A bit for each chunk that has something in the cache. Set when it comes; it may stay a while after a hole was punched.</summary>
    private readonly ulong[] _resident;

    public CacheChunks(PageStates states, int chunkPages, IEvictionPolicy policy)
    {
        _states = states;
        _policy = policy;
        _view = new EvictionView(this);
        ChunkPages = chunkPages;
        Count = (states.Count + chunkPages - 1) / chunkPages;
        _pins = new int[Count];
        _used = new bool[Count];
        _resident = new ulong[(Count + 63) >> 6];
    }

    public int ChunkPages { get; }

    public int Count { get; }

    /// <summary>The faults about pages that are on their way out; asked for again when they are gone.</summary>
    public List<PageFault> Waiters { get; } = [];

    public void Pin(int first, int count) => AddToPins(first, count, 1);

    public void Unpin(int first, int count) => AddToPins(first, count, -1);

    /// <summary>Notes that the chunk of a page is in use.</summary>
    public void MarkUsed(int page) => _used[page / ChunkPages] = true;

    public bool TakeUsed(int chunk)
    {
        bool was = _used[chunk];
        _used[chunk] = false;
        return was;
    }

    /// <summary>A page has come into the cache.</summary>
    public void NoteCached(int page)
    {
        int chunk = page / ChunkPages;
        ulong bit = 1UL << (chunk & 63);
        if ((_resident[chunk >> 6] & bit) == 0)
        {
            _resident[chunk >> 6] |= bit;
            _policy.Brought(chunk);
        }
    }

    public int NextResident(int chunk)
    {
        for (int word = chunk >> 6; word < _resident.Length; word++)
        {
            ulong bits = _resident[word];
            if (word == chunk >> 6)
            {
                bits &= ulong.MaxValue << (chunk & 63);
            }

            if (bits != 0)
            {
                return (word << 6) + BitOperations.TrailingZeroCount(bits);
            }
        }

        return -1;
    }

    /// <summary>Whether the chunk has something cached, no lease, and nothing on its way in or out.</summary>
    public bool MayEvict(int chunk)
    {
        if (_pins[chunk] != 0)
        {
            return false;
        }

        bool hasCached = false;
        PageRun pages = PagesOf(chunk);
        for (int page = pages.First; page < pages.End; page++)
        {
            PageState state = _states[page];
            if (state is PageState.Loading or PageState.Evicting or PageState.Held)
            {
                return false;
            }

            hasCached |= state == PageState.Cached;
        }

        if (!hasCached)
        {
            Leave(chunk);
        }

        return hasCached;
    }

    /// <summary>Has the policy choose, and puts what it chose on its way out.</summary>
    /// <param name="batch">Receives the pages; those that are not cached are kept from being loaded meanwhile.</param>
    /// <param name="wantedPages">About how many pages are to go.</param>
    /// <returns>Whether there is something.</returns>
    public bool TryChoose(EvictionBatch batch, int wantedPages)
    {
        batch.Clear();
        int most = Math.Clamp((wantedPages + ChunkPages - 1) / ChunkPages, 1, EvictionBatch.MostChunks);
        Span<int> victims = batch.Victims(most);
        victims = victims[..Math.Clamp(_policy.Choose(_view, victims), 0, most)];
        victims.Sort();
        int end = int.MinValue;
        foreach (int chunk in victims)
        {
            if ((uint)chunk >= (uint)Count || !MayEvict(chunk))
            {
                continue;
            }

            PageRun pages = PagesOf(chunk);
            BeginEvict(pages);
            if (IsBridge(end, pages.First))
            {
                BeginEvict(new PageRun(end, pages.First - end));
                batch.ExtendTo(pages.End);
            }
            else
            {
                batch.Add(pages);
            }

            end = pages.End;
        }

        return batch.Runs.Length != 0;
    }

    /// <summary>Pages chosen by <see cref="TryChoose"/> are gone.</summary>
    /// <returns>How many were in the cache.</returns>
    public int EndEvict(PageRun run)
    {
        int evicted = 0;
        for (int page = run.First; page < run.End; page++)
        {
            if (_states[page] == PageState.Evicting)
            {
                _states.EndEvict(page);
                evicted++;
            }
            else if (_states[page] == PageState.Held)
            {
                _states.EndHold(page);
            }
        }

        for (int chunk = run.First / ChunkPages; chunk * ChunkPages < run.End; chunk++)
        {
            Leave(chunk);
        }

        return evicted;
    }

    /// <summary>Pages chosen by <see cref="TryChoose"/> could not be taken out.</summary>
    public void UndoEvict(PageRun run)
    {
        for (int page = run.First; page < run.End; page++)
        {
            if (_states[page] == PageState.Evicting)
            {
                _states.UndoEvict(page);
            }
            else if (_states[page] == PageState.Held)
            {
                _states.EndHold(page);
            }
        }
    }

    private PageRun PagesOf(int chunk) => new(chunk * ChunkPages, Math.Min(ChunkPages, _states.Count - (chunk * ChunkPages)));

    /// <summary>Whether nothing but holes lies between two chunks that go.</summary>
    private bool IsBridge(int from, int to)
    {
        if (from < 0 || to - from > LongestBridge)
        {
            return false;
        }

        for (int page = from; page < to; page++)
        {
            if (_states[page] is not (PageState.Absent or PageState.Zero))
            {
                return false;
            }
        }

        return true;
    }

    private void BeginEvict(PageRun run)
    {
        for (int page = run.First; page < run.End; page++)
        {
            if (_states[page] == PageState.Cached)
            {
                _states.BeginEvict(page);
            }
            else if (_states.IsClaimable(page))
            {
                _states.Hold(page);
            }
        }
    }

    private void Leave(int chunk)
    {
        ulong bit = 1UL << (chunk & 63);
        if ((_resident[chunk >> 6] & bit) != 0)
        {
            _resident[chunk >> 6] &= ~bit;
            _policy.Evicted(chunk);
        }
    }

    private void AddToPins(int first, int count, int change)
    {
        for (int chunk = first / ChunkPages; chunk <= (first + count - 1) / ChunkPages; chunk++)
        {
            _pins[chunk] += change;
        }
    }
}
