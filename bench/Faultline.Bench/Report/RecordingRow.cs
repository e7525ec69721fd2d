namespace Faultline.Bench;

/// <summary>The same restore with and without a recorder of its working set; medians of rounds in turns.</summary>
/// <param name="Touches">Pages touched in a round.</param>
/// <param name="WithoutUs">Time for a touch without a recorder, in microseconds.</param>
/// <param name="WithUs">Time for a touch with one, in microseconds.</param>
/// <param name="Ratio">The median over the rounds of with divided by without.</param>
public sealed record RecordingRow(int Touches, double WithoutUs, double WithUs, double Ratio)
{
    /// <summary>What <see cref="Ratio"/> may be at most.</summary>
    public double Target { get; } = 1.05;

    /// <summary>Whether the target is met.</summary>
    public bool Met => Ratio <= Target;
}
