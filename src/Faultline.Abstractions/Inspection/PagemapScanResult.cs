namespace Faultline;

/// <summary>What PAGEMAP_SCAN answered.</summary>
/// <param name="Errno">The error, or <see cref="Errno.None"/>.</param>
/// <param name="Count">The number of regions written.</param>
/// <param name="WalkEnd">Where the scan stopped: the end of the range, or earlier when a limit was reached.</param>
public readonly record struct PagemapScanResult(Errno Errno, int Count, VirtualAddress WalkEnd)
{
    /// <summary>Whether the call succeeded.</summary>
    public bool IsOk => Errno == Errno.None;
}
