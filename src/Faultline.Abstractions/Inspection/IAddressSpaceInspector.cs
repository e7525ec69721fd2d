using System;
using System.Collections.Generic;

namespace Faultline;

/// <summary>Shows what both engines must agree on. It observes; only <see cref="Scan"/> can change something, when asked to.</summary>
public interface IAddressSpaceInspector
{
    /// <summary>Reads the pagemap from the page of <paramref name="start"/> on, an entry a 4 KiB page. Unmapped pages read as zero.</summary>
    /// <returns>The number of entries written, or ESRCH.</returns>
    SystemResult<int> ReadPagemap(VirtualAddress start, Span<PagemapEntry> entries);

    /// <summary>PAGEMAP_SCAN: finds pages by category, and write-protects them if asked to. Without room for regions it protects the whole range.</summary>
    /// <returns>EINVAL, EFAULT (end before start), EPERM (see <see cref="PagemapScanFlags.CheckWriteProtectAsync"/>), ESRCH, ENOTTY (no
    /// such call here).</returns>
    PagemapScanResult Scan(in PagemapScanRequest request, Span<PageRegion> regions);

    /// <summary>The resident set by kind.</summary>
    /// <returns>The counters, or ESRCH.</returns>
    SystemResult<ResidentCounters> GetCounters();

    /// <summary>The mappings that share at least one byte with <paramref name="within"/>, in order of address.</summary>
    /// <returns>The mappings, or ESRCH.</returns>
    SystemResult<IReadOnlyList<VmaInfo>> GetMappings(AddressRange within);
}
