namespace Faultline.Bench;

/// <summary>The same faults while someone listens to every measurement, and not; medians of rounds in turns.</summary>
/// <param name="Touches">Pages touched in a round.</param>
/// <param name="Measurements">Measurements heard for a touch.</param>
/// <param name="WithoutUs">Time for a touch with no listener, in microseconds.</param>
/// <param name="WithUs">Time for a touch with one, in microseconds.</param>
/// <param name="Ratio">The median over the rounds of with divided by without.</param>
public sealed record MetricsRow(int Touches, double Measurements, double WithoutUs, double WithUs, double Ratio)
{
    /// <summary>What <see cref="Ratio"/> may be at most.</summary>
    public double Target { get; } = 1.1;

    /// <summary>Whether the target is met.</summary>
    public bool Met => Ratio <= Target;
}
