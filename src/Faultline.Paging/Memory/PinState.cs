namespace Faultline.Paging;

/// <summary>Whether the caller of <see cref="PageBring.IntoCache"/> has the pages pinned.</summary>
internal enum PinState
{
    /// <summary>They are not.</summary>
    Unpinned = 0,

    /// <summary>They are. While there is no room they are let go, or leases that each hold a part would wait for each other.</summary>
    Pinned,
}
