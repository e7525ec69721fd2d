using System;
using Faultline.Verification.Races;

namespace Faultline.Verification.Pagers;

/// <summary>How a <see cref="PagerTrial"/> runs.</summary>
public sealed record PagerTrialOptions
{
    /// <summary>
    /// How many schedules are run at the most, repetitions that are cut short among them. Some 500 to 2,000 take a second. The same number and seed
    /// find the same on every machine.
    /// </summary>
    public int Schedules { get; init; } = 2_000;

    /// <summary>About how long it may take; null for as long as it takes. A search that is cut by this may find less on a slower machine.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>The seed of the schedules chosen at random.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The memory of the engine, in bytes.</summary>
    public ulong MemoryBytes { get; init; } = 4UL << 20;

    /// <summary>What the engine does to a handler that it may do, and seldom does.</summary>
    public Troubles Troubles { get; init; } = new();

    internal SearchSpend Spend => new(Time?.TotalMilliseconds ?? double.MaxValue, Schedules);
}
