namespace Faultline.Paging;

/// <summary>What came of asking for a page.</summary>
internal enum ClaimKind
{
    /// <summary>It is there, cached or known to be zero.</summary>
    Ready = 0,

    /// <summary>The caller has claimed it, perhaps with others, and must load it.</summary>
    Claimed,

    /// <summary>Someone else is loading it; the caller has joined.</summary>
    Joined,

    /// <summary>It is being evicted: ask again in a moment.</summary>
    Evicting,

    /// <summary>The table is closed: nothing is loaded any more.</summary>
    Closed,
}
