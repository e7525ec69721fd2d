namespace Faultline.Paging;

/// <summary>What a fault needs next.</summary>
internal enum PlanKind
{
    /// <summary>Its thread has been woken, with the page installed, since the message was read: nothing.</summary>
    Settled = 0,

    /// <summary>CONTINUE of the page and its cached neighbours.</summary>
    Continue,

    /// <summary>CONTINUE of the page and those of its chunk, for a write that has been noted.</summary>
    ContinueWritable,

    /// <summary>Zeroes for the page, and perhaps its neighbours.</summary>
    Zero,

    /// <summary>An error in place of the page.</summary>
    Poison,

    /// <summary>The page's protection taken away.</summary>
    Unprotect,

    /// <summary>The load that the plan holds.</summary>
    Load,

    /// <summary>Nothing: it has joined a load in flight.</summary>
    Joined,

    /// <summary>To be planned again at once: the state changed under it.</summary>
    Again,

    /// <summary>To be put aside for a moment.</summary>
    Park,

    /// <summary>Nobody serves the address: put aside in the hope that a region is added, an error when its time is up.</summary>
    Unknown,
}
