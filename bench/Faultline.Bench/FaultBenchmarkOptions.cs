using System;

namespace Faultline.Bench;

/// <summary>How <see cref="FaultBenchmark"/> runs.</summary>
public sealed record FaultBenchmarkOptions
{
    /// <summary>The fewest rounds whose median means something.</summary>
    public const int FewestRounds = 7;

    /// <summary>The rounds of each row; at least <see cref="FewestRounds"/>.</summary>
    public int Rounds
    {
        get;
        init => field = value >= FewestRounds ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"At least {FewestRounds} rounds are needed.");
    }

    = 45;

    /// <summary>Whether the budget matrix is measured in its full size, 1 GiB through 128 MiB, and not 256 MiB through 32 MiB.</summary>
    public bool IsFull { get; init; }

    /// <summary>Told what is being measured, from time to time.</summary>
    public Action<string> Progress { get; init; } = static _ => { };
}
