using System;

namespace Faultline.Cli.Patterns;

/// <summary>Makes the list of pages one clone touches, in order. The same arguments give the same list.</summary>
internal static class PageSequence
{
    public static int[] Create(AccessPattern pattern, int imagePages, double touchPercent, ulong seed, int clone, int[]? trace)
    {
        int count = Count(imagePages, touchPercent);
        return pattern switch
        {
            AccessPattern.Sequential => Sequential(count),
            AccessPattern.Random => Shuffled(imagePages, SeededRandom.Mix(seed ^ ((ulong)clone + 1)))[..count],
            AccessPattern.Zipf => Zipf(imagePages, count, seed, clone),
            AccessPattern.Trace => trace ?? throw new ArgumentNullException(nameof(trace)),
            _ => throw new ArgumentOutOfRangeException(nameof(pattern), pattern, "No such access pattern."),
        };
    }

    /// <summary>How many accesses <paramref name="touchPercent"/> of an image are: at least one.</summary>
    public static int Count(int imagePages, double touchPercent) =>
        Math.Clamp((int)Math.Round(imagePages * touchPercent / 100.0), 1, imagePages);

    private static int[] Sequential(int count)
    {
        int[] pages = new int[count];
        for (int i = 0; i < count; i++)
        {
            pages[i] = i;
        }

        return pages;
    }

    /// <summary>Fisher and Yates' shuffle.</summary>
    private static int[] Shuffled(int imagePages, ulong seed)
    {
        int[] pages = Sequential(imagePages);
        var random = new SeededRandom(seed);
        for (int i = imagePages - 1; i > 0; i--)
        {
            int other = (int)random.Below((ulong)i + 1);
            (pages[i], pages[other]) = (pages[other], pages[i]);
        }

        return pages;
    }

    /// <summary>
    /// Ranks with a probability of about 1/rank: the integer part of (N + 1)^u is distributed as ln((k + 1) / k) / ln(N + 1). Which page has
    /// which rank follows from the seed alone, so that the clones share their popular pages.
    /// </summary>
    private static int[] Zipf(int imagePages, int count, ulong seed, int clone)
    {
        int[] pageOfRank = Shuffled(imagePages, SeededRandom.Mix(seed));
        var random = new SeededRandom(SeededRandom.Mix(seed ^ ((ulong)clone + 1)));
        double logSpan = Math.Log(imagePages + 1.0);
        int[] pages = new int[count];
        for (int i = 0; i < count; i++)
        {
            int rank = Math.Min((int)Math.Exp(random.Fraction() * logSpan), imagePages);
            pages[i] = pageOfRank[rank - 1];
        }

        return pages;
    }
}
