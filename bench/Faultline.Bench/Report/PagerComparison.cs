namespace Faultline.Bench;

/// <summary>The whole pager beside the bare C handler's loop of COPY, both threads on one CPU.</summary>
/// <param name="Target">What the ratio may be at most.</param>
/// <param name="PagesPerRound">The pages touched in one round, by the pager and by C.</param>
/// <param name="C">The C rounds, for each page, or null.</param>
/// <param name="Anonymous">Memory of the client's own, installed by COPY as in the C loop.</param>
/// <param name="Image">A private mapping of an image: the page goes into the page cache for all clones, and is installed by CONTINUE.</param>
public sealed record PagerComparison(double Target, int PagesPerRound, Timing? C, PagerRow Anonymous, PagerRow Image)
{
    /// <summary>Like with like: the ratio of <see cref="Anonymous"/>; null without C rows.</summary>
    public double? Ratio => Anonymous.Ratio;

    /// <summary>Whether <see cref="Ratio"/> is within <see cref="Target"/>; null without C rows.</summary>
    public bool? Met => Ratio is double ratio ? ratio <= Target : null;
}
