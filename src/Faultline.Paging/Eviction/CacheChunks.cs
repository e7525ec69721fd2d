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

    /// <summary>Which chunks were written, if that is tracked.</summary>
    private ChunkWrites[]? _writes;

    /// <summary>Which chunks are being protected, or taken out of page tables, so that no lease may begin there.</summary>
    private bool[]? _busy;

    /// <summary>Made once: a new one for each choice would be an allocation.</summary>
    private readonly Predicate<int> _tryMakeBusy;

    /// <summary>Receives the chunks to be watched while the policy chooses.</summary>
    private EvictionBatch? _watching;

    /// <summary>A bit for each chunk that has something in the cache. Set when it comes; it may stay a while after a hole was punched.</summary>
    private readonly ulong[] _resident;

    public CacheChunks(PageStates states, int chunkPages, IEvictionPolicy policy)
    {
        _states = states;
        _policy = policy;
        _view = new EvictionView(this);
        _tryMakeBusy = TryMakeBusy;
        ChunkPages = chunkPages;
        Count = (states.Count + chunkPages - 1) / chunkPages;
        _pins = new int[Count];
        _used = new bool[Count];
        _resident = new ulong[(Count + 63) >> 6];
    }

    public int ChunkPages { get; }

    public int Count { get; }

    /// <summary>Whether a client's touches can be watched at this time.</summary>
    public bool CanWatch { get; set; }

    /// <summary>The faults about pages that are on their way out; asked for again when they are gone.</summary>
    public List<PageFault> Waiters { get; } = [];

    /// <summary>Holds chunks; false if one of them is being protected, which is over in a moment.</summary>
    public bool TryPin(int first, int count)
    {
        if (_busy is not null && _busy.AsSpan(first / ChunkPages, ((first + count - 1) / ChunkPages) - (first / ChunkPages) + 1).Contains(value: true))
        {
            return false;
        }

        AddToPins(first, count, 1);
        return true;
    }

    public void Unpin(int first, int count) => AddToPins(first, count, -1);

    /// <summary>Notes that the chunk of a page is in use.</summary>
    public void MarkUsed(int page) => _used[page / ChunkPages] = true;

    public bool TakeUsed(int chunk)
    {
        bool was = _used[chunk];
        _used[chunk] = false;
        return was;
    }

    public bool IsWritten(int chunk) => _writes is not null && _writes[chunk] != ChunkWrites.Stored;

    /// <summary>Keeps a chunk from leases, and from leaving, while its entries are dropped; false if it is not to be touched.</summary>
    private bool TryMakeBusy(int chunk)
    {
        bool may = (uint)chunk < (uint)Count && MayEvict(chunk);
        if (may)
        {
            _busy![chunk] = true;
        }

        return may;
    }

    public bool IsPinned(int chunk) => _pins[chunk] != 0;

    /// <summary>Begins to track writes; the answer has a place for each chunk.</summary>
    public ChunkWrites[] TrackWrites()
    {
        _busy ??= new bool[Count];
        return _writes = new ChunkWrites[Count];
    }

    /// <summary>From now on touches can be watched.</summary>
    public void EnableWatch() => _busy ??= new bool[Count];

    /// <summary>Has a chunk watched once the policy has chosen, unless it chose this one.</summary>
    public void Watch(int chunk) => _watching?.TryWatch(chunk);

    public void SetBusy(int chunk, bool isBusy) => _busy![chunk] = isBusy;

    public bool HasCached(int chunk) => CountCached(chunk) != 0;

    public int CountCached(int chunk)
    {
        int cached = 0;
        PageRun pages = PagesOf(chunk);
        for (int page = pages.First; page < pages.End; page++)
        {
            cached += _states[page] == PageState.Cached ? 1 : 0;
        }

        return cached;
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

    /// <summary>Whether the chunk has something cached, no lease, and nothing on its way in, out, or to the store.</summary>
    public bool MayEvict(int chunk)
    {
        if (_pins[chunk] != 0 || (_busy is not null && _busy[chunk]) || (_writes is not null && _writes[chunk] >= ChunkWrites.Storing))
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
        int most = Math.Clamp((wantedPages + ChunkPages - 1) / ChunkPages, 1, EvictionBatch.MostChunks);
        Span<int> victims = batch.Victims(most);
        _watching = CanWatch ? batch : null;
        victims = victims[..Math.Clamp(_policy.Choose(_view, victims), 0, most)];
        _watching = null;
        victims.Sort();
        Begin(batch, victims);
        batch.KeepWatched(_tryMakeBusy);
        return batch.Runs.Length != 0;
    }

    /// <summary>Puts chunks on their way out that may go and are stored; the written ones are put aside.</summary>
    /// <param name="batch">Receives both.</param>
    /// <param name="victims">The chunks, in order; any numbers.</param>
    public void Begin(EvictionBatch batch, ReadOnlySpan<int> victims)
    {
        batch.Clear();
        int end = int.MinValue;
        foreach (int chunk in victims)
        {
            if ((uint)chunk >= (uint)Count || !MayEvict(chunk))
            {
                continue;
            }

            if (IsWritten(chunk))
            {
                batch.AddWritten(chunk);
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

    public PageRun PagesOf(int chunk) => new(chunk * ChunkPages, Math.Min(ChunkPages, _states.Count - (chunk * ChunkPages)));

    /// <summary>Whether nothing but holes lies between two chunks that go.</summary>
    private bool IsBridge(int from, int to)
    {
        if (from < 0 || to - from > LongestBridge)
        {
            return false;
        }

        for (int page = from; page < to; page++)
        {
            if (_states[page] is not PageState.Absent && (_states[page] != PageState.Zero || _writes is not null))
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
