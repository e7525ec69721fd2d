using System.Collections.Generic;

namespace Faultline.Cli.Json;

/// <summary>What <c>check races</c> prints with <c>--json</c>.</summary>
internal sealed record RacesDocument
{
    public required IReadOnlyList<RaceDocument> Scenarios { get; init; }

    public required IReadOnlyList<CanaryDocument> Canaries { get; init; }

    /// <summary>Schedules of all scenarios together.</summary>
    public required long Schedules { get; init; }

    /// <summary>Failures of all scenarios together.</summary>
    public required int Failures { get; init; }

    /// <summary>Canaries that were not caught, or as something else. More than none: the search proves nothing.</summary>
    public required int CanariesSurvived { get; init; }
}
