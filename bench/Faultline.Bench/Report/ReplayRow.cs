namespace Faultline.Bench;

/// <summary>The same touches by demand, and with their working set brought ahead; medians.</summary>
/// <param name="StoreLatencyMs">How long the store takes for an answer.</param>
/// <param name="Touches">Pages touched, in a random order.</param>
/// <param name="OnDemandMs">From the first touch to the last, without a working set.</param>
/// <param name="ReplayMs">From the beginning of the replay to the last touch.</param>
/// <param name="FaultsOnDemand">Faults the pager answered without it.</param>
/// <param name="FaultsWithReplay">Faults the pager answered with it, when the touches begin after the replay has ended.</param>
public sealed record ReplayRow(double StoreLatencyMs, int Touches, double OnDemandMs, double ReplayMs, double FaultsOnDemand, double FaultsWithReplay)
{
    /// <summary>How many times faster the replay is.</summary>
    public double Speedup => System.Math.Round(OnDemandMs / ReplayMs, 2);

    /// <summary>What <see cref="Speedup"/> should be at least.</summary>
    public double SpeedupTarget { get; } = 10;

    /// <summary>The part of the faults that did not happen.</summary>
    public double FaultsAvoided => System.Math.Round(1 - (FaultsWithReplay / FaultsOnDemand), 4);

    /// <summary>What <see cref="FaultsAvoided"/> should be at least.</summary>
    public double FaultsAvoidedTarget { get; } = 0.95;

    /// <summary>Whether both targets are met.</summary>
    public bool Met => Speedup >= SpeedupTarget && FaultsAvoided >= FaultsAvoidedTarget;
}
