namespace Faultline.Paging;

/// <summary>What a pager or one of its clients has done so far. A snapshot: cheap to take while everything runs.</summary>
public sealed record PagerStatistics
{
    /// <summary>Messages about pages that did not exist.</summary>
    public long MissingFaults { get; init; }

    /// <summary>Messages about pages that were cached and not mapped.</summary>
    public long MinorFaults { get; init; }

    /// <summary>Messages about writes to protected pages.</summary>
    public long WriteProtectFaults { get; init; }

    /// <summary>Messages about faults, of any kind.</summary>
    public long Faults => MissingFaults + MinorFaults + WriteProtectFaults;

    /// <summary>Pages installed by CONTINUE.</summary>
    public long PagesContinued { get; init; }

    /// <summary>Pages installed by COPY (4 KiB units).</summary>
    public long PagesCopied { get; init; }

    /// <summary>Pages installed by ZEROPAGE.</summary>
    public long PagesZeroed { get; init; }

    /// <summary>Pages made an error by POISON (4 KiB units).</summary>
    public long PagesPoisoned { get; init; }

    /// <summary>Faults that joined a load in flight, or another fault of the same batch.</summary>
    public long JoinedFaults { get; init; }

    /// <summary>Faults put aside because the address space was changing, or for want of memory.</summary>
    public long ParkedFaults { get; init; }

    /// <summary>Times a fault that was put aside was tried again.</summary>
    public long RetriedFaults { get; init; }

    /// <summary>Pages that were there already when they were to be installed.</summary>
    public long AlreadyInstalled { get; init; }

    /// <summary>Wakes that were owed and not part of an install.</summary>
    public long Wakes { get; init; }

    /// <summary>Events read: fork, remap, remove, unmap.</summary>
    public long Events { get; init; }

    /// <summary>Reads of stores. For a client: of those it has to itself (<see cref="RegionKind.Copied"/>).</summary>
    public long StoreReads { get; init; }

    /// <summary>Bytes read from stores.</summary>
    public long StoreBytes { get; init; }

    /// <summary>Loads that failed or did not end in time.</summary>
    public long FailedLoads { get; init; }

    /// <summary>Pages taken out of the cache to stay under the budget.</summary>
    public long PagesEvicted { get; init; }

    /// <summary>Pages brought because they were guessed to be wanted soon; see <see cref="PrefetchOptions"/>. For a client: zero.</summary>
    public long PagesGuessed { get; init; }

    /// <summary>Pages of those that were installed for a fault, or leased, afterwards.</summary>
    public long PagesGuessedUsed { get; init; }

    /// <summary>Pages of those that were not, so far.</summary>
    public long PagesGuessedUnused => PagesGuessed - PagesGuessedUsed;

    /// <summary>Faults and leases whose page a guess had brought, or was bringing: without it each would have waited for a read.</summary>
    public long LoadsAvoided { get; init; }

    /// <summary>Bytes in the cache now. For a client: zero.</summary>
    public long ResidentBytes { get; init; }

    /// <summary>The time from reading a fault's message to waking its thread.</summary>
    public LatencySnapshot Latency { get; init; } = LatencySnapshot.Empty;
}
