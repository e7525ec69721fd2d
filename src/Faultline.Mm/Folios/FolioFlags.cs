using System;

namespace Faultline.Mm;

/// <summary>What is true of a folio (Linux: <c>enum pageflags</c>). Changed one bit at a time, atomically.</summary>
[Flags]
internal enum FolioFlags
{
    None = 0,

    /// <summary>Changed since it was last written out (its own flag; entries have theirs).</summary>
    Dirty = 1 << 0,

    /// <summary>The contents are valid. A page that was only allocated by fallocate is not.</summary>
    UpToDate = 1 << 1,

    /// <summary>On one of the LRU lists.</summary>
    Lru = 1 << 2,

    /// <summary>On an active list, if on one.</summary>
    Active = 1 << 3,

    /// <summary>Used since it was last looked at.</summary>
    Referenced = 1 << 4,

    /// <summary>Goes to swap, not to a file of its own.</summary>
    SwapBacked = 1 << 5,

    /// <summary>In the swap cache; <see cref="Frame.Swap"/> is the slot.</summary>
    SwapCache = 1 << 6,

    /// <summary>Anonymous: the owner is an <see cref="AnonVma"/>. Clear: the owner is a page cache, or there is none.</summary>
    Anonymous = 1 << 7,

    /// <summary>Anonymous and mapped by one entry that may be made writable without a copy (Linux: <c>PG_anon_exclusive</c>).</summary>
    Exclusive = 1 << 8,

    /// <summary>Not evictable: mlocked.</summary>
    Locked = 1 << 9,

    /// <summary>A page of the hugetlb pool.</summary>
    Hugetlb = 1 << 10,

    /// <summary>Never counted, charged or freed: the zero folio.</summary>
    Reserved = 1 << 11,

    /// <summary>Holds entries of a page table.</summary>
    Table = 1 << 12,

    /// <summary>Free, and the first frame of a block of its order.</summary>
    Buddy = 1 << 13,

    /// <summary>A frame of a folio, but not its first.</summary>
    Tail = 1 << 14,

    /// <summary>Anonymous, clean and not needed: reclaim may drop it (MADV_FREE).</summary>
    LazilyFreed = 1 << 15,

    /// <summary>A page of the hugetlb pool whose reservation is in force again once it is back.</summary>
    RestoreReserve = 1 << 16,

    /// <summary>
    /// With <see cref="Locked"/>: reclaim has had it in its hands, and nobody knows any more how often it was locked. The next munlock is taken for the last
    /// (Linux: <c>lru_add</c> sets <c>mlock_count</c> to zero).
    /// </summary>
    LockForgotten = 1 << 17,
}
