using System;
using System.Collections.Generic;

namespace Faultline.Verification.Kernel;

/// <summary>Differences that are known and have a row in docs/divergences.md. Each rule has a test.</summary>
internal static class ExplainedDifferences
{
    /// <summary>MOVE moves a page and then answers EEXIST, because it remembers an EAGAIN of its own retry: a defect of the kernel.</summary>
    public const string MoveSaysOccupied = "move-occupied-though-moved";

    /// <summary>The name of the rule that explains a difference, or null.</summary>
    public static string? Explain(Difference difference, IReadOnlyList<Step> steps)
    {
        Step? step = difference.Index < steps.Count ? steps[difference.Index] : null;
        if (step is { Verb: StepVerb.RaceMove } && difference.Managed == "ok"
            && difference.Linux.StartsWith(nameof(Errno.EEXIST), StringComparison.Ordinal) && difference.Linux.EndsWith("though the page was moved", StringComparison.Ordinal))
        {
            return MoveSaysOccupied;
        }

        return null;
    }
}
