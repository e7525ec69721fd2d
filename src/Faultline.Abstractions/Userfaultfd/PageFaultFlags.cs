using System;

namespace Faultline;

/// <summary>Flags of a page-fault message, with Linux' <c>UFFD_PAGEFAULT_FLAG_*</c> values.</summary>
[Flags]
public enum PageFaultFlags : ulong
{
    /// <summary>A read of a missing page.</summary>
    None = 0,

    /// <summary>The access was a write.</summary>
    Write = 1,

    /// <summary>The page is write-protected.</summary>
    WriteProtect = 2,

    /// <summary>The page is in the page cache.</summary>
    Minor = 4,
}
