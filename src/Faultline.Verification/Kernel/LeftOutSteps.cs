using System;

namespace Faultline.Verification.Kernel;

/// <summary>
/// Steps that random programs and scripts pass over, because what they do cannot be compared; each has a row in docs/divergences.md or docs/testing.md.
/// </summary>
internal static class LeftOutSteps
{
    // MADV_GUARD_INSTALL over a write-protected entry of a file never comes back from the kernel. A registration without write-protection leaves the bits
    // behind, and the managed engine clears them with the next store.
    public static bool Has(in Step step, PairRun run, SideObservation seen)
    {
        bool cutsFile = step.Verb is StepVerb.Truncate or StepVerb.Punch && seen.Files[step.File].Size >= PageSize.Huge
            && run.Managed.Files[step.File] is { PageSizeBytes: PageSize.Small };
        if (run.IsWide && (cutsFile || seen.HugeArea.Splits(in step)))
        {
            return true;
        }

        if (step.Verb == StepVerb.RaceMove && run.Managed.Running != 0)
        {
            // Who sleeps in the target is woken by the first round, and finds what it holds when he comes to look.
            return true;
        }

        if (step.Verb == StepVerb.Advise && (Advice)step.Mode == Advice.Collapse && run.IsWide && seen.HugeArea.HasPoison)
        {
            // The kernel takes the poison of files with the table.
            return true;
        }

        if (WritesForEver(in step, run))
        {
            return true;
        }

        bool installsGuard = step.Verb == StepVerb.Advise && (Advice)step.Mode == Advice.GuardInstall;
        bool endsProtection = step.Verb == StepVerb.Register && ((RegisterModes)step.Mode & RegisterModes.WriteProtect) == 0;
        if (!installsGuard && !endsProtection)
        {
            return false;
        }

        int end = (int)Math.Min(Arena.End, (long)step.Page + step.Pages + 1);
        for (int page = Math.Max(step.Page - 1, 0); page < end; page++)
        {
            if (run.EntryAt(step.Space, page).IsUserfaultfdWriteProtected && (endsProtection || run.KindOf(page) != MapKind.Anonymous))
            {
                return true;
            }
        }

        return false;
    }

    // For what writes to hugetlb that is protected and not registered for it: on the kernel such a write never ends.
    private static bool WritesForEver(in Step step, PairRun run)
    {
        bool isWrite = step.Verb is StepVerb.Store or StepVerb.KernelWrite or StepVerb.Lock or StepVerb.LockOnFault
            || (step.Verb == StepVerb.Advise && (Advice)step.Mode == Advice.PopulateWrite);
        if (!isWrite || !run.IsWide)
        {
            return false;
        }

        int end = (int)Math.Min(Arena.End, (long)step.Page + step.Pages + 1);
        for (int page = Math.Max(step.Page, Arena.HugeFirst); page < end; page++)
        {
            if (run.EntryAt(step.Space, page).IsUserfaultfdWriteProtected && !IsWatched(run.Managed.Spaces[step.Space], Arena.At(page)))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsWatched(IAddressSpace? space, VirtualAddress address)
    {
        foreach (VmaInfo mapping in space?.Inspector.GetMappings(Arena.HugeRange).Value ?? [])
        {
            if (mapping.Range.Contains(address))
            {
                return (mapping.RegisteredModes & RegisterModes.WriteProtect) != 0;
            }
        }

        return false;
    }
}
