namespace Faultline.Bench;

/// <summary>A whole image read with several reads under way, and one after another; medians of rounds in turns.</summary>
/// <param name="Work">What is done with it.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="ReadsAtOnce">How many reads are under way at a time.</param>
/// <param name="SequentialMs">The time with one read at a time.</param>
/// <param name="ParallelMs">The time with several.</param>
/// <param name="Target">What <see cref="Ratio"/> may be at most.</param>
public sealed record ImageWorkRow(string Work, string Source, int ReadsAtOnce, double SequentialMs, double ParallelMs, double Target)
{
    /// <summary>The time with several, divided by that with one.</summary>
    public double Ratio => System.Math.Round(ParallelMs / SequentialMs, 3);

    /// <summary>Whether the target is met.</summary>
    public bool Met => Ratio <= Target;
}
