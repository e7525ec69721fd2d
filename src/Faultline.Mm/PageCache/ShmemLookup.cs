namespace Faultline.Mm;

/// <summary>How a page of shmem is looked up (Linux: <c>enum sgp_type</c>).</summary>
internal enum ShmemLookup
{
    /// <summary>A hole, and a page that is not up to date, are no page. Beyond the end: EINVAL.</summary>
    Read = 0,

    /// <summary>A hole is ENOENT. A page that is not up to date is cleared and becomes so. Beyond the end: EINVAL. What CONTINUE does.</summary>
    NoAllocate = 1,

    /// <summary>A hole gets a zeroed page. Beyond the end: EINVAL. What faults do.</summary>
    Cache = 2,

    /// <summary>A hole gets a page, not up to date: the caller fills it. Allowed beyond the end.</summary>
    Write = 3,

    /// <summary>A hole gets a page that is left not up to date. Allowed beyond the end.</summary>
    Fallocate = 4,
}
