using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Faultline.Verification.Kernel;

/// <summary>The rule behind <see cref="ExplainedDifferences.ProtectDirtiesTogether"/>.</summary>
internal static partial class DirtiedTogether
{
    /// <summary>
    /// An mprotect in the area for huge pages, where something had been given up before: the same mapping, of whose private pages more are dirty on the
    /// kernel, and at least one on the managed engine.
    /// </summary>
    public static bool Explains(Difference difference, IReadOnlyList<Step> steps)
    {
        if (difference.Index >= steps.Count || steps[difference.Index] is not { Verb: StepVerb.Protect } protect || !Arena.IsHuge(protect.Page)
            || !difference.What.StartsWith("mapping", StringComparison.Ordinal) || !HasGivenUp(steps, difference.Index))
        {
            return false;
        }

        Match linux = PrivatePages().Match(difference.Linux);
        Match managed = PrivatePages().Match(difference.Managed);
        return linux.Success && managed.Success
            && PrivatePages().Replace(difference.Linux, string.Empty) == PrivatePages().Replace(difference.Managed, string.Empty)
            && Pages(linux, "clean") + Pages(linux, "dirty") == Pages(managed, "clean") + Pages(managed, "dirty")
            && Pages(linux, "dirty") > Pages(managed, "dirty") && Pages(managed, "dirty") > 0;
    }

    private static bool HasGivenUp(IReadOnlyList<Step> steps, int end)
    {
        for (int i = 0; i < end; i++)
        {
            if (steps[i] is { Verb: StepVerb.Advise } advice && (Advice)advice.Mode == Advice.Free && Arena.IsHuge(advice.Page))
            {
                return true;
            }
        }

        return false;
    }

    private static long Pages(Match match, string group) => long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"private (?<clean>\d+)\+(?<dirty>\d+) dirty", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PrivatePages();
}
