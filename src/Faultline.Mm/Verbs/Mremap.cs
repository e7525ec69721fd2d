using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>mremap(2) (Linux: <c>mm/mremap.c</c>).</summary>
internal static class Mremap
{
    public static SystemResult<VirtualAddress> Run(MmState mm, AddressRange range, ulong newLength, RemapOptions options, VirtualAddress target)
    {
        var plan = new RemapPlan
        {
            From = range.Start.Value,
            OldLength = PageCount.FromBytes(range.Length).Bytes,
            NewLength = PageCount.FromBytes(newLength).Bytes,
            To = target.Value,
            Options = options,
        };
        Errno errno = Check(in plan);
        if (errno != Errno.None)
        {
            return new(default, errno);
        }

        var events = new EventList();
        SystemResult<ulong> result;
        ulong grownFrom = 0;
        using (RankedSharedLock.WriteScope held = mm.Lock.EnterWrite())
        {
            result = RunLocked(mm, ref plan, events, ref grownFrom);
        }

        if (result.IsOk && grownFrom != 0)
        {
            // Before anybody is told, as the kernel does it.
            _ = Mlock.PopulateAll(mm, grownFrom, result.Value + plan.NewLength);
        }

        if (result.IsOk)
        {
            events.TellAll();
        }
        else
        {
            // What was unmapped before the failure is unmapped; its event is told all the same.
            events.CancelRemaps();
            events.TellAll();
        }

        return new(new VirtualAddress(result.Value), result.Errno);
    }

    private static Errno Check(in RemapPlan plan)
    {
        const RemapOptions Known = RemapOptions.MayMove | RemapOptions.Fixed | RemapOptions.DontUnmap;
        if ((plan.Options & ~Known) != 0 || (plan.From & (PageSize.Small - 1)) != 0 || plan.NewLength == 0 || plan.NewLength > PageTable.UserEnd)
        {
            return Errno.EINVAL;
        }

        if (!plan.HasTarget)
        {
            return Errno.None;
        }

        bool isValid = plan.MayMove
            && (!plan.KeepsSource || plan.OldLength == plan.NewLength)
            && (plan.To & (PageSize.Small - 1)) == 0
            && plan.To <= PageTable.UserEnd - plan.NewLength
            && (!plan.IsFixed || plan.From + plan.OldLength <= plan.To || plan.To + plan.NewLength <= plan.From);
        return isValid ? Errno.None : Errno.EINVAL;
    }

    private static SystemResult<ulong> RunLocked(MmState mm, ref RemapPlan plan, EventList events, ref ulong grownFrom)
    {
        if (plan.IsFixed && plan.OldLength == plan.NewLength)
        {
            return MoveEach(mm, in plan, events);
        }

        if (mm.Vmas.Find(plan.From) is not { } vma)
        {
            return new(0, Errno.EFAULT);
        }

        if (vma.IsHugetlb && !TryAlignHugetlb(ref plan))
        {
            return new(0, Errno.EINVAL);
        }

        if (plan.OldLength == 0 && !vma.IsShared)
        {
            // Duplicating makes sense of shared memory only.
            return new(0, Errno.EINVAL);
        }

        if (plan.KeepsSource && plan.OldLength == 0)
        {
            return new(0, Errno.EINVAL);
        }

        if (!plan.HasTarget && plan.OldLength >= plan.NewLength && plan.OldLength != 0)
        {
            // Shrinks in place; a range over several mappings is fine here.
            Errno shrunk = plan.OldLength == plan.NewLength
                ? Errno.None
                : Munmap.RangeLocked(mm, plan.From + plan.NewLength, plan.From + plan.OldLength, events);
            return new(plan.From, shrunk);
        }

        // What is cut off may lie in other mappings; what is moved may not.
        if (System.Math.Min(plan.OldLength, plan.NewLength) > vma.End - plan.From)
        {
            return new(0, Errno.EFAULT);
        }

        if (!plan.HasTarget && TryGrow(mm, vma, in plan, ref grownFrom))
        {
            return new(plan.From, Errno.None);
        }

        if (!plan.MayMove)
        {
            return new(0, Errno.ENOMEM);
        }

        SystemResult<ulong> moved = MoveLocked(mm, vma, ref plan, events);
        grownFrom = plan.GrownFrom;
        return moved;
    }

    /// <summary>Hugetlb mappings move and shrink by whole pages; they cannot grow, nor stay behind empty (Linux: <c>align_hugetlb</c>).</summary>
    private static bool TryAlignHugetlb(ref RemapPlan plan)
    {
        const ulong Mask = PageSize.Huge - 1;
        plan.OldLength = (plan.OldLength + Mask) & ~Mask;
        plan.NewLength = (plan.NewLength + Mask) & ~Mask;
        return ((plan.From | plan.To) & Mask) == 0 && plan.NewLength <= plan.OldLength && !plan.KeepsSource;
    }

    /// <summary>
    /// Moves every mapping of a range, with the gaps between them (Linux: <c>remap_move</c>). One that a userfaultfd watches must be the only one.
    /// </summary>
    private static SystemResult<ulong> MoveEach(MmState mm, in RemapPlan whole, EventList events)
    {
        ulong end = whole.From + whole.OldLength;
        ulong at = whole.From;
        SystemResult<ulong> first = new(0, Errno.EFAULT);
        while (at < end && mm.Vmas.FindFrom(at) is { } vma && vma.Start < end)
        {
            bool isFirst = at == whole.From;
            if ((isFirst && vma.Start > at) || (vma.IsArmed && (!isFirst || vma.End < end)))
            {
                return new(0, Errno.EFAULT);
            }

            ulong from = System.Math.Max(vma.Start, at);
            ulong next = System.Math.Min(vma.End, end);
            var part = new RemapPlan
            {
                From = from,
                OldLength = next - from,
                NewLength = next - from,
                To = whole.To + (from - whole.From),
                Options = whole.Options,
            };
            SystemResult<ulong> moved = vma.IsHugetlb && !TryAlignHugetlb(ref part)
                ? new(0, Errno.EINVAL)
                : MoveLocked(mm, vma, ref part, events);
            if (!moved.IsOk)
            {
                return moved;
            }

            first = isFirst ? moved : first;
            at = next;
        }

        return first;
    }

    private static bool TryGrow(MmState mm, Vma vma, in RemapPlan plan, ref ulong grownFrom)
    {
        ulong growth = plan.NewLength - plan.OldLength;
        bool fits = plan.OldLength != 0
            && vma.End == plan.From + plan.OldLength
            && growth <= PageTable.UserEnd - vma.End
            && Mmap.IsFree(mm, vma.End, growth);
        if (!fits)
        {
            return false;
        }

        if (vma.Has(VmaFlags.Locked))
        {
            grownFrom = vma.End;
            mm.LockedPages += growth >> PageSize.SmallShift;
        }

        VmaMerge.SetEnd(vma, vma.End + growth);
        VmaMerge.MergeWithNext(vma);
        return true;
    }

    private static SystemResult<ulong> MoveLocked(MmState mm, Vma vma, ref RemapPlan plan, EventList events)
    {
        Errno errno = MakeRoom(mm, ref plan, events);
        if (errno != Errno.None)
        {
            return new(0, errno);
        }

        if (mm.Vmas.Find(plan.From) is not { } found)
        {
            // A duplicate (old length zero) onto the very place: it is gone.
            return new(0, Errno.EFAULT);
        }

        vma = found;
        if (mm.Vmas.Count + 2 >= mm.System.MappingLimit)
        {
            return new(0, Errno.ENOMEM);
        }

        if (vma.IsHugetlb)
        {
            // What is reserved for it moves along as a whole.
            errno = VmaRange.Isolate(ref vma, plan.From, plan.From + plan.OldLength);
            if (errno != Errno.None)
            {
                return new(0, errno);
            }
        }

        Vma copy = MakeCopy(mm, vma, in plan, events);
        ulong moved = MovePageTables.Move(vma, plan.From, copy, plan.To, plan.OldLength);
        if (moved < plan.OldLength)
        {
            // Back where they came from: there, the tables still are.
            MovePageTables.Move(copy, plan.To, vma, plan.From, moved);
            copy.HugetlbReservation = null;
            VmaMerge.Unlink(copy);
            return new(0, Errno.ENOMEM);
        }

        vma.HugetlbReservation = null;
        if (copy.Has(VmaFlags.Locked))
        {
            plan.GrownFrom = plan.NewLength > plan.OldLength ? plan.To + plan.OldLength : 0;
            mm.LockedPages += copy.Length >> PageSize.SmallShift;
        }

        if (plan.KeepsSource)
        {
            if (vma.Has(VmaFlags.Locked))
            {
                mm.LockedPages -= vma.Length >> PageSize.SmallShift;
                vma.SetFlags(vma.Flags & ~(VmaFlags.Locked | VmaFlags.LockOnFault));
                Mlock.LeaveLocked(vma);
            }

            if (vma.Start == plan.From && vma.End == plan.From + plan.OldLength)
            {
                // Its pages are elsewhere now: it begins anew, and may merge with others (Linux: dontunmap_complete).
                AnonVmaChain.Unlink(vma);
            }
        }
        else if (plan.OldLength != 0)
        {
            errno = Munmap.RangeLocked(mm, plan.From, plan.From + plan.OldLength, events);
        }

        VmaMerge.MergeWithNeighbours(copy);
        return new(plan.To, errno);
    }

    /// <summary>Clears the target, or finds one; cuts the source down if it shrinks.</summary>
    private static Errno MakeRoom(MmState mm, ref RemapPlan plan, EventList events)
    {
        if (plan.IsFixed)
        {
            Errno errno = Munmap.RangeLocked(mm, plan.To, plan.To + plan.NewLength, events);
            plan.EarlyEvents = events.Count;
            if (errno == Errno.None && plan.OldLength > plan.NewLength)
            {
                errno = Munmap.RangeLocked(mm, plan.From + plan.NewLength, plan.From + plan.OldLength, events);
                plan.OldLength = plan.NewLength;
            }

            return errno;
        }

        bool isHintFree = plan.To != 0 && plan.KeepsSource && Mmap.IsFree(mm, plan.To, plan.NewLength);
        if (!isHintFree)
        {
            plan.To = Mmap.FindGap(mm, plan.NewLength, mm.Vmas.Find(plan.From)!.IsHugetlb ? PageSize.Huge : PageSize.Small);
        }

        return plan.To == 0 ? Errno.ENOMEM : Errno.None;
    }

    private static Vma MakeCopy(MmState mm, Vma vma, in RemapPlan plan, EventList events)
    {
        // Anonymous memory that has no pages yet is as if born in its new place.
        ulong pageOffset = vma.IsAnonymous && vma.AnonVma is null ? plan.To >> PageSize.SmallShift : vma.IndexOf(plan.From);
        var copy = new Vma(mm, plan.To, plan.To + plan.NewLength, vma.Flags & ~VmaFlags.Userfaultfd, pageOffset, vma.File);
        if (vma.Userfaultfd is UserfaultfdContext context && (context.Features & UserfaultfdFeatures.EventRemap) != 0)
        {
            copy.SetUserfaultfd(context, vma.Flags & VmaFlags.Userfaultfd);
            events.Begin(new PendingEvent(context, UserfaultfdEvent.Remap, plan.To, plan.OldLength, from: plan.From), plan.EarlyEvents);
        }

        AnonVmaChain.Clone(copy, vma);
        copy.AnonVma = vma.AnonVma;
        copy.MayHaveGuards = vma.MayHaveGuards;
        copy.HugetlbReservation = vma.HugetlbReservation;
        copy.HasLostPages = vma.HasLostPages;
        VmaMerge.Link(copy);
        return copy;
    }
}
