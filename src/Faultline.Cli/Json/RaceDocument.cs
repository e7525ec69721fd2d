using System.Collections.Generic;

namespace Faultline.Cli.Json;

/// <summary>One scenario of <c>check races</c>.</summary>
internal sealed record RaceDocument
{
    public required string Name { get; init; }

    public required string Story { get; init; }

    public required long Schedules { get; init; }

    /// <summary>How many of these were chosen at random.</summary>
    public required long Sampled { get; init; }

    /// <summary>Whether every interleaving was covered.</summary>
    public required bool Complete { get; init; }

    /// <summary>If not complete: every interleaving with so many preemptions was covered; -1 for none.</summary>
    public int? Preemptions { get; init; }

    public required double Milliseconds { get; init; }

    public required IReadOnlyList<RaceFailureDocument> Failures { get; init; }
}
