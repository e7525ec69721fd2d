using System;

namespace Faultline.Verification.Pagers;

/// <summary>How a <see cref="PagerTrial"/> runs.</summary>
public sealed record PagerTrialOptions
{
    /// <summary>About how long.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The seed of the schedules chosen at random.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The memory of the engine, in bytes.</summary>
    public ulong MemoryBytes { get; init; } = 4UL << 20;

    /// <summary>What the engine does to a handler that it may do, and seldom does.</summary>
    public Troubles Troubles { get; init; } = new();
}
