using System.Collections.Generic;

namespace Faultline.Verification.Kernel;

/// <summary>Runs a program that is known, comparing everything after every step.</summary>
internal static class ProgramReplay
{
    /// <returns>Null, or where the engines part.</returns>
    public static Difference? Run(EnginePair engines, IReadOnlyList<Step> steps, int everything = 1)
    {
        using var run = new PairRun(engines);
        for (int i = 0; i < steps.Count; i++)
        {
            if (run.Do(steps[i], closely: i % everything == everything - 1) is { } difference)
            {
                return ExplainedDifferences.Explain(difference, steps) is null ? difference : null;
            }

            if (run.IsUnordered)
            {
                return null;
            }
        }

        return run.Finish();
    }
}
