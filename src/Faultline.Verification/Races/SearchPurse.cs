using System;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races;

/// <summary>What is left of what a search may spend.</summary>
internal sealed class SearchPurse(SearchSpend spend)
{
    private readonly long _began = TimeProvider.System.GetTimestamp();

    /// <summary>Schedules begun, repetitions among them.</summary>
    private long _begun;

    /// <summary>Schedules that ran to their end.</summary>
    public long Schedules { get; private set; }

    /// <summary>The share of it that has been spent.</summary>
    public double Spent => Math.Max(Elapsed / spend.Milliseconds, (double)_begun / spend.Schedules);

    private double Elapsed => TimeProvider.System.GetElapsedTime(_began).TotalMilliseconds;

    public bool HasLeft(double share) => Spent < share;

    /// <summary>The bounds of a search after which no more than a share of everything is spent.</summary>
    public ExplorationBounds Limit(ExplorationBounds bounds, double share) => bounds with
    {
        MaxMilliseconds = ToLimit((spend.Milliseconds * share) - Elapsed),
        MaxSchedules = ToLimit((spend.Schedules * share) - _begun),
    };

    public void Pay(ExplorationResult result)
    {
        Schedules += result.Schedules;
        _begun += result.Schedules + result.Redundant;
    }

    private static long ToLimit(double left) => left >= long.MaxValue ? long.MaxValue : (long)Math.Max(0, left);
}
