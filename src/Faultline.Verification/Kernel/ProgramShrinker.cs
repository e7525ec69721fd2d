using System;
using System.Collections.Generic;
using System.Diagnostics;

namespace Faultline.Verification.Kernel;

/// <summary>Takes steps out of a program as long as the engines still part (delta debugging), then makes what is left simpler.</summary>
internal sealed class ProgramShrinker(Func<IReadOnlyList<Step>, Difference?> run, TimeSpan budget)
{
    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>The smallest program found, and where the engines part in it.</summary>
    public (IReadOnlyList<Step> Steps, Difference Difference) Shrink(IReadOnlyList<Step> steps, Difference difference)
    {
        string kind = Kind(difference);
        List<Step> best = [.. steps];
        if (difference.Index < best.Count)
        {
            best = best.GetRange(0, difference.Index + 1);
        }

        for (int chunk = Math.Max(best.Count / 2, 1); chunk >= 1 && HasTime; chunk /= 2)
        {
            for (int start = best.Count - chunk; start >= 0 && HasTime; start -= chunk)
            {
                List<Step> candidate = [.. best];
                candidate.RemoveRange(start, Math.Min(chunk, candidate.Count - start));
                Try(ref best, candidate, ref difference, kind);
            }
        }

        for (int i = 0; i < best.Count && HasTime; i++)
        {
            foreach (Step simpler in Simpler(best[i]))
            {
                List<Step> candidate = [.. best];
                candidate[i] = simpler;
                Try(ref best, candidate, ref difference, kind);
            }
        }

        return (best, difference);
    }

    /// <summary>What two differences of one cause have in common, roughly: the first word of what was compared.</summary>
    private static string Kind(Difference difference) => difference.What.Split(' ', 2)[0];

    private bool HasTime => Stopwatch.GetElapsedTime(_start) < budget;

    private static IEnumerable<Step> Simpler(Step step)
    {
        if (step.Pages > 1)
        {
            yield return step with { Pages = 1 };
        }

        if (step.Skew != 0 || step.Tail != 0)
        {
            yield return step with { Skew = 0, Tail = 0 };
        }

        if (step.Actor != 0)
        {
            yield return step with { Actor = 0 };
        }

        if (step.Verb == StepVerb.Open && step.Mode != 0)
        {
            yield return step with { Mode = 0 };
        }
    }

    private void Try(ref List<Step> best, List<Step> candidate, ref Difference difference, string kind)
    {
        if (candidate.Count > 0 && run(candidate) is { } found && Kind(found) == kind)
        {
            difference = found;
            best = found.Index < candidate.Count ? candidate.GetRange(0, found.Index + 1) : candidate;
        }
    }
}
