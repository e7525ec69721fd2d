namespace Faultline.Paging;

/// <summary>What came of trying to begin a guess.</summary>
internal enum GuessStart
{
    /// <summary>It is to be read.</summary>
    Begun = 0,

    /// <summary>All of it is there, or on its way.</summary>
    Needless,

    /// <summary>Everything the store does at a time is taken: again when a load ends.</summary>
    NoSlot,

    /// <summary>The budget is near its limit, or the image is closed: given up.</summary>
    GivenUp,
}
