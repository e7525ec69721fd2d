namespace Faultline.Paging;

/// <summary>
/// Chooses what leaves the cache: a second-chance clock over chunks of pages. Chunks that are leased, or have a load in flight, are passed
/// over. The owner of the states guards it with its lock; only <see cref="MarkUsed"/> needs none.
/// </summary>
internal sealed class EvictionClock(PageStates states, int chunkPages, int pages)
{
    /// <summary>How many leases hold each chunk.</summary>
    private readonly int[] _pins = new int[(pages + chunkPages - 1) / chunkPages];

    /// <summary>Whether each chunk was used since the hand last passed. Set without the lock: a guess.</summary>
    private readonly bool[] _used = new bool[(pages + chunkPages - 1) / chunkPages];

    /// <summary>The chunk looked at next.</summary>
    private int _hand;

    public void Pin(int first, int count) => AddToPins(first, count, 1);

    public void Unpin(int first, int count) => AddToPins(first, count, -1);

    /// <summary>Gives the chunk of a page a second chance.</summary>
    public void MarkUsed(int page) => _used[page / chunkPages] = true;

    /// <summary>Finds a chunk that may go.</summary>
    /// <param name="first">Its first page.</param>
    /// <param name="count">Its pages.</param>
    /// <returns>False if there is none.</returns>
    public bool TryChoose(out int first, out int count)
    {
        first = 0;
        count = 0;
        for (int looked = 0; looked < 2 * _used.Length; looked++)
        {
            int chunk = _hand;
            _hand = (_hand + 1) % _used.Length;
            first = chunk * chunkPages;
            count = int.Min(chunkPages, states.Count - first);
            if (_pins[chunk] != 0 || !HasOnlySettled(first, count))
            {
                continue;
            }

            if (!_used[chunk])
            {
                return true;
            }

            _used[chunk] = false;
        }

        return false;
    }

    /// <summary>Whether the chunk has something cached and nothing on its way in or out.</summary>
    private bool HasOnlySettled(int first, int count)
    {
        bool hasCached = false;
        for (int page = first; page < first + count; page++)
        {
            PageState state = states[page];
            if (state is PageState.Loading or PageState.Evicting)
            {
                return false;
            }

            hasCached |= state == PageState.Cached;
        }

        return hasCached;
    }

    private void AddToPins(int first, int count, int change)
    {
        for (int chunk = first / chunkPages; chunk <= (first + count - 1) / chunkPages; chunk++)
        {
            _pins[chunk] += change;
        }
    }
}
