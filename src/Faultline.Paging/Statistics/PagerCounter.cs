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

    /// <summary>How many there are.</summary>
    Count,
}
