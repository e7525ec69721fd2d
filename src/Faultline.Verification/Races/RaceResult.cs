using System.Collections.Generic;

namespace Faultline.Verification.Races;

/// <summary>What was found in one scenario.</summary>
public sealed record RaceResult
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Who meets whom.</summary>
    public required string Story { get; init; }

    /// <summary>How many schedules ran, those cut short as repetitions left out.</summary>
    public required long Schedules { get; init; }

    /// <summary>How many of these were chosen at random.</summary>
    public required long Sampled { get; init; }

    /// <summary>Whether every interleaving was covered.</summary>
    public required bool IsComplete { get; init; }

    /// <summary>If not: every interleaving with so many preemptions was. -1: not even those without any.</summary>
    public required int CompletePreemptions { get; init; }

    /// <summary>How long it took.</summary>
    public required double Milliseconds { get; init; }

    /// <summary>The failures; empty if there was none.</summary>
    public required IReadOnlyList<RaceFailure> Failures { get; init; }
}
