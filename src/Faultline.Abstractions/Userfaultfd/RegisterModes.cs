using System;

namespace Faultline;

/// <summary>The kinds of fault a range is registered for.</summary>
[Flags]
public enum RegisterModes : ulong
{
    /// <summary>Nothing: EINVAL.</summary>
    None = 0,

    /// <summary>Faults on pages that do not exist.</summary>
    Missing = 1,

    /// <summary>Writes to protected pages.</summary>
    WriteProtect = 2,

    /// <summary>Faults on pages that are in the page cache, but not in the page table (shmem, hugetlb).</summary>
    Minor = 4,
}
