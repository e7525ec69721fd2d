namespace Faultline.Sync;

/// <summary>
/// Every lock of Faultline. The order of the members is the lock order: a thread may take a lock only if its rank is higher
/// than that of every lock it holds, and never twice the same rank. Outermost first.
/// </summary>
public enum LockRank
{
    /// <summary>Pager: the list of images, regions and contexts.</summary>
    PagerRegistry,

    /// <summary>Pager: one client context. Reading messages and applying its events exclude installs in it.</summary>
    PagerContext,

    /// <summary>Pager: the states of one image's pages.</summary>
    PagerImage,

    /// <summary>Pager: parked retries.</summary>
    PagerParking,
}
