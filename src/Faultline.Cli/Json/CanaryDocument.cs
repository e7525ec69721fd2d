namespace Faultline.Cli.Json;

/// <summary>One part that is broken on purpose.</summary>
internal sealed record CanaryDocument
{
    public required string Name { get; init; }

    public required string Story { get; init; }

    public required string Expected { get; init; }

    public required bool Caught { get; init; }

    public required long Schedules { get; init; }

    public RaceFailureDocument? Failure { get; init; }
}
