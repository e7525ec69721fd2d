using System.Collections.Generic;

namespace Faultline.Verification.Kernel;

/// <summary>Runs a program that is known, comparing everything after every step.</summary>
internal static class ProgramReplay
{
    /// <returns>Null, or where the engines part; also null if that is explained.</returns>
    public static Difference? Run(EnginePair engines, IReadOnlyList<Step> steps, int everything = 1) => Run(engines, steps, everything, out _);

    /// <summary>The rule that explains where the engines part, or null.</summary>
    public static string? RuleOf(EnginePair engines, IReadOnlyList<Step> steps)
    {
        _ = Run(engines, steps, everything: 1, out string? rule);
        return rule;
    }

    private static Difference? Run(EnginePair engines, IReadOnlyList<Step> steps, int everything, out string? rule)
    {
        rule = null;
        using var run = new PairRun(engines);
        for (int i = 0; i < steps.Count; i++)
        {
            if (run.Do(steps[i], closely: i % everything == everything - 1) is { } difference)
            {
                rule = ExplainedDifferences.Explain(difference, steps);
                return rule is null ? difference : null;
            }

            if (run.IsUnordered)
            {
                return null;
            }
        }

        return run.Finish();
    }
}
