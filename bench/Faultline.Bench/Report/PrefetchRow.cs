namespace Faultline.Bench;

/// <summary>The same touches over a late store, with guesses and without; medians of rounds in turns.</summary>
/// <param name="Order">The order of the touches.</param>
/// <param name="Touches">Pages touched.</param>
/// <param name="WithoutUs">Time for a touch without guesses, in microseconds.</param>
/// <param name="WithUs">Time for a touch with guesses, in microseconds.</param>
/// <param name="PagesGuessed">Pages that guesses brought.</param>
/// <param name="PagesGuessedUsed">Pages of those that were used.</param>
/// <param name="Target">What <see cref="Ratio"/> may be at most.</param>
public sealed record PrefetchRow(string Order, int Touches, double WithoutUs, double WithUs, double PagesGuessed, double PagesGuessedUsed, double Target)
{
    /// <summary>The time with guesses, divided by that without.</summary>
    public double Ratio => System.Math.Round(WithUs / WithoutUs, 3);

    /// <summary>The part of the guessed pages that was used; 1 where nothing was guessed.</summary>
    public double UsedShare => PagesGuessed == 0 ? 1 : System.Math.Round(PagesGuessedUsed / PagesGuessed, 3);

    /// <summary>Whether the target is met.</summary>
    public bool Met => Ratio <= Target;
}
