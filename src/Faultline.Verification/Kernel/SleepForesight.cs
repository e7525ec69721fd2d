namespace Faultline.Verification.Kernel;

/// <summary>
/// Whether a step may sleep, by what was seen after the step before. A thread of its own costs more than most steps, so a step gets one only if it needs it.
/// </summary>
internal sealed class SleepForesight(PairRun run)
{
    /// <summary>The features that make calls wait.</summary>
    public const UserfaultfdFeatures Events =
        UserfaultfdFeatures.EventFork | UserfaultfdFeatures.EventRemap | UserfaultfdFeatures.EventRemove | UserfaultfdFeatures.EventUnmap;

    public static bool ChangesMappings(StepVerb verb) => verb is <= StepVerb.Unlock or StepVerb.Register or StepVerb.Unregister;

    /// <summary>Whether a step may wait until an event that it causes is read.</summary>
    public bool MayWaitForEvent(in Step step) => (run.Managed.AllFeatures & Events) != 0 && step.Verb switch
    {
        StepVerb.Unmap or StepVerb.MapOver or StepVerb.Remap or StepVerb.Fork => true,
        StepVerb.Advise => (Advice)step.Mode is Advice.DontNeed or Advice.DontNeedLocked or Advice.Free or Advice.Remove,
        _ => false,
    };

    /// <summary>Whether a step may sleep in a userfault, in a program that has registered something.</summary>
    public bool MaySleep(in Step step) => step.Verb switch
    {
        StepVerb.Load => !IsThere(in step, 0),
        StepVerb.Store => !IsThere(in step, 0, isWrite: true),
        StepVerb.KernelRead => !IsAllThere(in step),
        StepVerb.KernelWrite or StepVerb.CopyFrom or StepVerb.Lock or StepVerb.LockOnFault => true,
        StepVerb.Advise => (Advice)step.Mode is Advice.PopulateRead or Advice.PopulateWrite,
        StepVerb.Remap or StepVerb.Protect => true,
        _ => false,
    };

    /// <summary>Whether a step that may sleep by its verb meets memory that is registered at all.</summary>
    public bool TouchesWatched(in Step step) => step.Space != 0 || step.Verb switch
    {
        StepVerb.CopyFrom => IsWatched(step.Other, step.Pages, onlyLocked: false),
        StepVerb.Remap or StepVerb.Protect => IsWatched(0, Arena.End, onlyLocked: true),
        _ => IsWatched(step.Page, step.Pages, onlyLocked: false),
    };

    // A page more on either side: for addresses and lengths that are no multiples of pages.
    private bool IsWatched(int page, int pages, bool onlyLocked)
    {
        if (page < 0 || page + pages > Arena.Pages)
        {
            return true;
        }

        VirtualAddress start = Arena.At(page - 1);
        VirtualAddress end = Arena.At(page + pages + 1);
        foreach (VmaInfo mapping in run.Mappings)
        {
            if (mapping.RegisteredModes != RegisterModes.None && mapping.Range.Start < end && start < mapping.Range.End && (mapping.IsLocked || !onlyLocked))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsAllThere(in Step step)
    {
        ulong length = step.Range.Length;
        for (ulong offset = 0; offset < length; offset += PageSize.Small)
        {
            if (!IsThere(in step, offset))
            {
                return false;
            }
        }

        return IsThere(in step, length - 1);
    }

    // An entry that is present raises no userfault, unless it is protected and written to, or read-only and absent once copied.
    private bool IsThere(in Step step, ulong offset, bool isWrite = false)
    {
        int page = Arena.PageOf(step.Range.Start + offset);
        if ((uint)page >= Arena.Pages && !Arena.IsHuge(page))
        {
            return false;
        }

        PagemapEntry entry = run.EntryAt(step.Space, page);
        return entry.IsPresent && !(isWrite && entry.IsUserfaultfdWriteProtected);
    }
}
