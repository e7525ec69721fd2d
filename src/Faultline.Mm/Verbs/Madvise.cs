using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>madvise(2) (Linux: <c>mm/madvise.c</c>): the checks, and the walk over the mappings. What each advice does is next to this.</summary>
internal static class Madvise
{
    public static Errno Run(MmState mm, AddressRange range, Advice advice)
    {
        ulong start = range.Start.Value;
        ulong length = PageCount.FromBytes(range.Length).Bytes;
        if (!IsKnown(advice) || (start & (PageSize.Small - 1)) != 0 || (range.Length != 0 && length == 0))
        {
            return Errno.EINVAL;
        }

        ulong end = start + length;
        if (end < start)
        {
            return Errno.EINVAL;
        }

        if (length == 0)
        {
            return Errno.None;
        }

        return advice switch
        {
            Advice.PopulateRead => PopulateRange(mm, start, end, isWrite: false),
            Advice.PopulateWrite => PopulateRange(mm, start, end, isWrite: true),
            Advice.DontNeed or Advice.DontNeedLocked or Advice.Free or Advice.Remove => Discard.Run(mm, start, end, advice),
            Advice.Normal or Advice.Random or Advice.Sequential
                or Advice.DontFork or Advice.DoFork or Advice.WipeOnFork or Advice.KeepOnFork or Advice.HugePage or Advice.NoHugePage
                => ChangeFlags(mm, start, end, advice),
            Advice.GuardInstall or Advice.GuardRemove => GuardRegion.Run(mm, start, end, advice),
            Advice.Cold or Advice.PageOut => PageOutRange(mm, start, end, advice),
            Advice.Collapse => MadviseCollapse.Run(mm, start, end),
            _ => CheckMapped(mm, start, end),
        };
    }

    private static bool IsKnown(Advice advice) => advice is
        Advice.Normal or Advice.Random or Advice.Sequential or Advice.WillNeed or Advice.DontNeed or Advice.Free or Advice.Remove
        or Advice.DontFork or Advice.DoFork or Advice.HugePage or Advice.NoHugePage or Advice.WipeOnFork or Advice.KeepOnFork
        or Advice.Cold or Advice.PageOut or Advice.PopulateRead or Advice.PopulateWrite or Advice.DontNeedLocked or Advice.Collapse
        or Advice.GuardInstall or Advice.GuardRemove;

    /// <summary>Advice without effect: only holes are an error.</summary>
    private static Errno CheckMapped(MmState mm, ulong start, ulong end)
    {
        using RankedSharedLock.ReadScope held = mm.Lock.EnterRead();
        ulong at = start;
        while (at < end)
        {
            if (mm.Vmas.Find(at) is not { } vma)
            {
                return Errno.ENOMEM;
            }

            at = vma.End;
        }

        return Errno.None;
    }

    private static Errno PopulateRange(MmState mm, ulong start, ulong end, bool isWrite)
    {
        FaultResult result = Populate.Range(mm, start, end, isWrite, out ulong reached);
        return result switch
        {
            FaultResult.Done => Errno.None,
            FaultResult.NotMapped => CheckMapped(mm, reached, reached + PageSize.Small) == Errno.None ? Errno.EFAULT : Errno.ENOMEM,
            FaultResult.Protection => Errno.EINVAL,
            FaultResult.OutOfMemory => Errno.ENOMEM,
            FaultResult.Poisoned => Errno.EHWPOISON,
            FaultResult.Killed => Errno.EINTR,
            _ => Errno.EFAULT,
        };
    }

    private static Errno ChangeFlags(MmState mm, ulong start, ulong end, Advice advice)
    {
        using RankedSharedLock.WriteScope held = mm.Lock.EnterWrite();
        Errno holes = Errno.None;
        ulong at = start;
        while (at < end)
        {
            Vma? vma = mm.Vmas.FindFrom(at);
            if (vma is null || vma.Start >= end)
            {
                return Errno.ENOMEM;
            }

            if (vma.Start > at)
            {
                holes = Errno.ENOMEM;
            }

            if (!TryFlags(vma, advice, out VmaFlags flags))
            {
                return Errno.EINVAL;
            }

            if (flags != vma.Flags)
            {
                Errno errno = VmaRange.Isolate(ref vma, start, end);
                if (errno != Errno.None)
                {
                    return errno;
                }

                vma.SetFlags(flags);
                at = vma.End;
                VmaMerge.MergeWithNeighbours(vma);
            }
            else
            {
                at = vma.End;
            }
        }

        return holes;
    }

    private static bool TryFlags(Vma vma, Advice advice, out VmaFlags flags)
    {
        flags = advice switch
        {
            Advice.Normal => vma.Flags & ~(VmaFlags.RandomRead | VmaFlags.SequentialRead),
            Advice.Random => (vma.Flags & ~VmaFlags.SequentialRead) | VmaFlags.RandomRead,
            Advice.Sequential => (vma.Flags & ~VmaFlags.RandomRead) | VmaFlags.SequentialRead,
            Advice.DontFork => vma.Flags | VmaFlags.DontCopy,
            Advice.DoFork => vma.Flags & ~VmaFlags.DontCopy,
            Advice.WipeOnFork => vma.Flags | VmaFlags.WipeOnFork,
            Advice.KeepOnFork => vma.Flags & ~VmaFlags.WipeOnFork,
            Advice.HugePage => (vma.Flags & ~VmaFlags.NoHugePage) | VmaFlags.HugePage,
            _ => (vma.Flags & ~VmaFlags.HugePage) | VmaFlags.NoHugePage,
        };

        // Only private anonymous memory can read as zero in a child.
        return advice != Advice.WipeOnFork || vma.IsAnonymous;
    }

    /// <summary>
    /// Mapping by mapping, up to the first locked one, which is an error (Linux: <c>can_madv_lru_vma</c>). Holes are passed over, and told at
    /// the end.
    /// </summary>
    private static Errno PageOutRange(MmState mm, ulong start, ulong end, Advice advice)
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

                if (vma.Has(VmaFlags.Locked | VmaFlags.HugeTlb))
                {
                    return Errno.EINVAL;
                }
            }

            if (advice == Advice.PageOut)
            {
                PageOut.Range(mm, parts.Start, parts.End);
            }
        }

        return parts.Holes;
    }
}
