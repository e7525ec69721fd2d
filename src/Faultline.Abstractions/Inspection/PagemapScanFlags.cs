using System;

namespace Faultline;

/// <summary>Flags of PAGEMAP_SCAN.</summary>
[Flags]
public enum PagemapScanFlags : ulong
{
    /// <summary>Look only.</summary>
    None = 0,

    /// <summary>Write-protect the pages that match, in the same step.</summary>
    WriteProtectMatching = 1,

    /// <summary>EPERM if a mapping is not registered for asynchronous write-protection.</summary>
    CheckWriteProtectAsync = 2,
}
