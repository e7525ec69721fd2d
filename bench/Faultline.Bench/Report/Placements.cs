using System.Collections.Generic;

namespace Faultline.Bench;

/// <summary>The placements of a run.</summary>
/// <param name="OneCpu">Both threads on one CPU.</param>
/// <param name="TwoCpus">One on each of two CPUs, or null where there is only one.</param>
public sealed record Placements(Placement OneCpu, Placement? TwoCpus)
{
    /// <summary>The last CPU for one, the first and the last for two: the first one takes most of the machine's interrupts.</summary>
    internal static Placements On(IReadOnlyList<int> cpus) =>
        new(new Placement(cpus[^1], cpus[^1]), cpus.Count > 1 ? new Placement(cpus[0], cpus[^1]) : null);
}
