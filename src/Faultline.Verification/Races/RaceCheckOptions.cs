using System;

namespace Faultline.Verification.Races;

/// <summary>How long the races are run.</summary>
public sealed record RaceCheckOptions
{
    /// <summary>About how long all of it may take.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How many scenarios are run at a time.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>The seed of what is chosen at random.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Only scenarios whose name contains this; null for all.</summary>
    public string? Name { get; init; }
}
