using System;

namespace Faultline.Bench;

/// <summary>A row of the managed engine beside what it is held to.</summary>
/// <param name="Ratio">The managed median divided by the reference's; null where the reference was not measured.</param>
/// <param name="Target">What the ratio may be at most.</param>
/// <param name="Managed">The managed engine.</param>
/// <param name="Reference">The running kernel by the same calls, or what else the row is divided by.</param>
public sealed record TargetedRatio(double? Ratio, double Target, Timing Managed, Timing? Reference)
{
    /// <summary>Whether the ratio is within the target; null where there is none.</summary>
    public bool? Met => Ratio is double ratio ? ratio <= Target : null;

    /// <summary>Compares two rows.</summary>
    internal static TargetedRatio Of(double target, Measured managed, Measured reference) => new(
        Math.Round(managed.Timing.MedianNs / reference.Timing.MedianNs, 3), target, managed.Timing, reference.Timing);
}
