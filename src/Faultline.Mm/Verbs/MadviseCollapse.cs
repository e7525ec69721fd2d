using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>MADV_COLLAPSE (Linux: <c>madvise_collapse</c>): makes huge pages at once, whatever the settings say.</summary>
internal static class MadviseCollapse
{
    public static Errno Run(MmState mm, ulong start, ulong end)
    {
        MappedParts parts = new(start, end);
        while (parts.HasMore)
        {
            using (RankedSharedLock.ReadScope held = mm.Lock.EnterRead())
            {
                if (parts.Next(mm) is not { } vma)
                {
                    return Errno.ENOMEM;
                }

                if (!CollapseScan.Allows(vma))
                {
                    return Errno.EINVAL;
                }
            }

            Errno errno = Part(mm, parts.Start, parts.End);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return parts.Holes;
    }

    /// <summary>The aligned ranges that lie in one mapping. What is wrong with one of them does not always keep the next from its turn.</summary>
    private static Errno Part(MmState mm, ulong start, ulong end)
    {
        ulong last = HugeRange.StartOf(end);
        ulong first = HugeRange.StartOf(start + PageSize.Huge - 1);
        if (first > last)
        {
            // Inside of one huge page. A range that reaches over a border without holding a whole one is done at once.
            return Errno.EINVAL;
        }

        CollapseResult failed = CollapseResult.Done;
        for (ulong at = first; at < last; at += PageSize.Huge)
        {
            CollapseResult result = Collapse.At(mm, at, CollapseLimits.Forced, mapsIt: true);
            if (result is CollapseResult.Done or CollapseResult.AlreadyHuge)
            {
                continue;
            }

            failed = result;
            if (result is not (CollapseResult.NoMiddleTable or CollapseResult.WriteProtected or CollapseResult.NotUsed or CollapseResult.Busy))
            {
                break;
            }
        }

        return ErrnoOf(failed);
    }

    /// <summary>Linux: <c>madvise_collapse_errno</c>.</summary>
    private static Errno ErrnoOf(CollapseResult result) => result switch
    {
        CollapseResult.Done => Errno.None,
        CollapseResult.NoMemory => Errno.ENOMEM,
        CollapseResult.OverLimit or CollapseResult.TooManyAbsent => Errno.EBUSY,
        CollapseResult.Busy => Errno.EAGAIN,
        _ => Errno.EINVAL,
    };
}
