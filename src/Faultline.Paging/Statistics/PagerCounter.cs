namespace Faultline.Paging;

/// <summary>The numbers a client counts; see <see cref="PagerStatistics"/> for what they mean.</summary>
internal enum PagerCounter
{
    MissingFaults = 0,
    MinorFaults,
    WriteProtectFaults,
    PagesContinued,
    PagesCopied,
    PagesZeroed,
    PagesPoisoned,
    JoinedFaults,
    ParkedFaults,
    RetriedFaults,
    AlreadyInstalled,
    Wakes,
    Events,

    /// <summary>Retries because the address space was changing.</summary>
    RetriedSettling,

    /// <summary>Retries for want of memory, or of room under the budget.</summary>
    RetriedRoom,

    /// <summary>Retries because nobody serves the address yet.</summary>
    RetriedUnknown,

    /// <summary>Retries because the page was on its way out of the cache.</summary>
    RetriedEviction,

    /// <summary>Retries because something changed between the plan and the install.</summary>
    RetriedRace,

    /// <summary>How many there are.</summary>
    Count,
}
