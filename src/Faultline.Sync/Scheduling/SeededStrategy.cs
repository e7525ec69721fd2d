using System;

namespace Faultline.Sync.Scheduling;

/// <summary>Chooses at random; the same seed makes the same choices.</summary>
/// <param name="seed">The seed.</param>
public sealed class SeededStrategy(int seed) : IScheduleStrategy
{
    private readonly Random _random = new(seed);

    /// <inheritdoc/>
    public int Choose(ReadOnlySpan<int> candidates, bool canGoOn) => _random.Next(candidates.Length);
}
