namespace Faultline.Paging;

/// <summary>What an image holds and has cost so far. A snapshot. Pages are of 4 KiB.</summary>
public sealed record ImageStatistics
{
    /// <summary>Pages of the image.</summary>
    public long Pages { get; init; }

    /// <summary>Pages in the cache.</summary>
    public long CachedPages { get; init; }

    /// <summary>Pages known to be zero, which take no memory.</summary>
    public long ZeroPages { get; init; }

    /// <summary>Pages being brought now.</summary>
    public long LoadingPages { get; init; }

    /// <summary>Pages that could not be brought when last tried.</summary>
    public long FailedPages { get; init; }

    /// <summary>Reads of the store.</summary>
    public long StoreReads { get; init; }

    /// <summary>Bytes read from the store.</summary>
    public long StoreBytes { get; init; }

    /// <summary>Loads that failed or did not end in time.</summary>
    public long FailedLoads { get; init; }

    /// <summary>Pages taken out of the cache to stay under the budget.</summary>
    public long PagesEvicted { get; init; }

    /// <summary>Pages brought because they were guessed to be wanted soon; see <see cref="PrefetchOptions"/>.</summary>
    public long PagesGuessed { get; init; }

    /// <summary>Pages of those that were installed for a fault, or leased, afterwards.</summary>
    public long PagesGuessedUsed { get; init; }

    /// <summary>Pages of those that were not, so far.</summary>
    public long PagesGuessedUnused => PagesGuessed - PagesGuessedUsed;

    /// <summary>Faults and leases whose page a guess had brought, or was bringing: without it each would have waited for a read.</summary>
    public long LoadsAvoided { get; init; }

    /// <summary>Guesses that became wanted while the store was read.</summary>
    public long GuessesPromoted { get; init; }

    /// <summary>Guesses given up because the budget was near its limit.</summary>
    public long GuessesGivenUp { get; init; }

    /// <summary>Pages in the cache that were written through a shared mapping, with the rest of their chunk, and are not in the store yet.</summary>
    public long WrittenPages { get; init; }

    /// <summary>Pages that were given back to the store.</summary>
    public long PagesWrittenBack { get; init; }

    /// <summary>Writes to the store that failed.</summary>
    public long FailedWrites { get; init; }

    /// <summary>Bytes in the cache.</summary>
    public long ResidentBytes => CachedPages * (long)PageSize.Small;
}
