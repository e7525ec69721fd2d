using System;
using System.Collections.Generic;

namespace Faultline.Verification.Kernel;

/// <summary>Differences that are known and have a row in docs/divergences.md. Each rule has a test.</summary>
internal static class ExplainedDifferences
{
    /// <summary>MOVE moves a page and then answers EEXIST, because it remembers an EAGAIN of its own retry: a defect of the kernel.</summary>
    public const string MoveSaysOccupied = "move-occupied-though-moved";

    /// <summary>
    /// mremap takes the registration of the new place away if the context did not ask for REMAP events; if the new place was merged with a neighbour that
    /// is watched, the neighbour loses its registration too: a defect of the kernel.
    /// </summary>
    public const string RemapUnregistersNeighbour = "remap-unregisters-neighbour";

    /// <summary>What a difference is called in which engines disagree on who sleeps.</summary>
    public const string WhoSleeps = "which actors sleep";

    /// <summary>
    /// mprotect takes the entries of a huge page that is mapped in parts together (6.17), and makes all of them dirty if one was: nobody can tell but by
    /// smaps, and by what MADV_FREE had given up.
    /// </summary>
    public const string ProtectDirtiesTogether = "protect-dirties-together";

    /// <summary>The name of the rule that explains a difference, or null.</summary>
    public static string? Explain(Difference difference, IReadOnlyList<Step> steps)
    {
        Step? step = difference.Index < steps.Count ? steps[difference.Index] : null;
        if (step is { Verb: StepVerb.RaceMove } && difference.Managed == "ok"
            && difference.Linux.StartsWith(nameof(Errno.EEXIST), StringComparison.Ordinal) && difference.Linux.EndsWith("though the page was moved", StringComparison.Ordinal))
        {
            return MoveSaysOccupied;
        }

        if (step is { Verb: StepVerb.Remap } && difference.What.StartsWith("mapping", StringComparison.Ordinal)
            && difference.Linux.Contains("registered None", StringComparison.Ordinal))
        {
            return RemapUnregistersNeighbour;
        }

        // The same seen by PAGEMAP_SCAN: what is not registered for write-protection is not said to allow it.
        const string Allowed = nameof(PageCategories.WriteProtectAllowed) + ", ";
        if (step is { Verb: StepVerb.Remap } && difference.What.StartsWith("categories", StringComparison.Ordinal)
            && difference.Managed.Contains(Allowed, StringComparison.Ordinal)
            && difference.Managed.Replace(Allowed, string.Empty, StringComparison.Ordinal) == difference.Linux)
        {
            return RemapUnregistersNeighbour;
        }

        if (step is { Verb: StepVerb.Remap } && difference.Managed == nameof(OutcomeKind.Asleep)
            && difference.Linux.StartsWith("ok", StringComparison.Ordinal) && TellsOfUnmapOnly(steps))
        {
            // The neighbour was the old place itself: nobody watches it any more when it is unmapped, so nobody is told.
            return RemapUnregistersNeighbour;
        }

        // As before, when the remap slept already, for the event of what was at the new place.
        return step is { Verb: StepVerb.ReadMessages } && difference.What == WhoSleeps && TellsOfUnmapOnly(steps) && SleepsInRemap(difference, steps)
            ? RemapUnregistersNeighbour
            : DirtiedTogether.Explains(difference, steps) ? ProtectDirtiesTogether
            : null;
    }

    // Whether all who sleep on the managed engine alone do so in mremap.
    private static bool SleepsInRemap(Difference difference, IReadOnlyList<Step> steps)
    {
        int linux = Convert.ToInt32(difference.Linux[2..], 2);
        int managed = Convert.ToInt32(difference.Managed[2..], 2);
        for (int actor = 0; managed >> actor != 0; actor++)
        {
            if (((managed & ~linux) >> actor & 1) != 0 && !HasRemap(steps, difference.Index, actor))
            {
                return false;
            }
        }

        return (linux & ~managed) == 0;
    }

    private static bool HasRemap(IReadOnlyList<Step> steps, int end, int actor)
    {
        for (int i = 0; i < end; i++)
        {
            if (steps[i].Verb == StepVerb.Remap && steps[i].Actor == actor)
            {
                return true;
            }
        }

        return false;
    }

    private static bool TellsOfUnmapOnly(IReadOnlyList<Step> steps)
    {
        foreach (Step step in steps)
        {
            if (step.Verb == StepVerb.Open
                && ((UserfaultfdFeatures)step.Mode & (UserfaultfdFeatures.EventUnmap | UserfaultfdFeatures.EventRemap)) == UserfaultfdFeatures.EventUnmap)
            {
                return true;
            }
        }

        return false;
    }
}
