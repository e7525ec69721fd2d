using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Making a huge page of an aligned range, whatever is mapped there.</summary>
internal static class Collapse
{
    /// <summary>Collapses the 2 MiB at an address. No lock is held.</summary>
    public static CollapseResult At(MmState mm, ulong start, in CollapseLimits limits)
    {
        bool isAnonymous;
        using (RankedSharedLock.ReadScope held = mm.Lock.EnterRead())
        {
            if (CollapseScan.FindMapping(mm, start) is not { } vma)
            {
                return CollapseResult.Unsuitable;
            }

            isAnonymous = vma.IsAnonymous;
        }

        return isAnonymous ? CollapseAnonymous.Run(mm, start, in limits) : CollapseResult.Unsuitable;
    }
}
