using System;

namespace Faultline.Bench;

/// <summary>Bulk reads of resident memory beside memcpy.</summary>
/// <param name="Managed">Read of the accessor, for each page.</param>
/// <param name="Memcpy">The same bytes from an array.</param>
public sealed record ReadBandwidth(Timing Managed, Timing Memcpy)
{
    /// <summary>The bandwidth of reads divided by that of memcpy.</summary>
    public double Ratio => Math.Round(Memcpy.MedianNs / Managed.MedianNs, 3);

    /// <summary>What <see cref="Ratio"/> must be at least.</summary>
    public double Target { get; } = 0.5;

    /// <summary>Whether it is.</summary>
    public bool Met => Ratio >= Target;

    /// <summary>Gigabytes a second.</summary>
    public double ManagedGigabytesPerSecond => BandwidthOf(Managed);

    /// <summary>Gigabytes a second.</summary>
    public double MemcpyGigabytesPerSecond => BandwidthOf(Memcpy);

    private static double BandwidthOf(Timing timing) => Math.Round(PageSize.Small / timing.MedianNs, 2);
}
