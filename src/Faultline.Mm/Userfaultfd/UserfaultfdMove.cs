using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>UFFDIO_MOVE: moves private pages without copying them (Linux: <c>move_pages</c>).</summary>
/// <remarks>Linux 6.18 may move a page and answer EEXIST, after a retry of its own; this does what is documented: a page that moved is counted.</remarks>
internal static unsafe class UserfaultfdMove
{
    public static FillResult Run(UserfaultfdContext context, ulong target, ulong source, ulong length, MoveModes modes)
    {
        const MoveModes Known = MoveModes.DontWake | MoveModes.AllowSourceHoles;
        if (context.IsMapChanging)
        {
            return FillOutcome.Changing;
        }

        if (!RangeCheck.IsValid(target, length) || !RangeCheck.IsValid(source, length) || (modes & ~Known) != 0)
        {
            return FillOutcome.Refused(Errno.EINVAL);
        }

        MmState mm = context.Mm;
        if (!mm.TryUse())
        {
            // The owner is gone, so the caller is somebody else.
            return FillOutcome.Refused(Errno.EINVAL);
        }

        ulong done = 0;
        Errno errno = MoveRange(context, target, source, length, (modes & MoveModes.AllowSourceHoles) != 0, ref done);
        if (done > 0 && (modes & MoveModes.DontWake) == 0)
        {
            context.Wake(target, done);
        }

        mm.LeaveUse();
        return FillOutcome.Of(done, length, errno);
    }

    private static Errno MoveRange(UserfaultfdContext context, ulong target, ulong source, ulong length, bool allowHoles, ref ulong done)
    {
        MmState mm = context.Mm;
        using RankedSharedLock.ReadScope mapLock = mm.Lock.EnterRead();
        using RankedSharedLock.ReadScope changeLock = context.MapChanging.EnterRead();
        if (context.IsMapChanging)
        {
            return Errno.EAGAIN;
        }

        if (mm.Vmas.Find(target) is not { } targetVma)
        {
            return Errno.ENOENT;
        }

        if (!targetVma.IsShared)
        {
            // As soon as it is looked up, whatever becomes of the call (Linux: uffd_move_lock).
            AnonVmaChain.Prepare(targetVma);
        }

        if (mm.Vmas.Find(source) is not { } sourceVma)
        {
            return Errno.ENOENT;
        }

        Errno errno = CheckMappings(context, targetVma, target, sourceVma, source, length);
        if (errno != Errno.None)
        {
            return errno;
        }

        ulong split = ulong.MaxValue;
        while (done < length)
        {
            ulong step = PageSize.Small;
            if (mm.Table.HasHugeEntry(source + done) || mm.Table.HasHugeEntry(target + done))
            {
                errno = UserfaultfdMoveHuge.Run(targetVma, target + done, sourceVma, source + done, length - done, out step);
                split = HugeRange.StartOf(source + done);
            }
            else
            {
                errno = MovePage(mm, targetVma, target + done, sourceVma, source + done, allowHoles, ref split);
            }

            if (errno == Errno.EAGAIN)
            {
                continue;
            }

            if (errno != Errno.None)
            {
                break;
            }

            done += step;
        }

        mm.Shootdown.Flush();
        return errno;
    }

    private static Errno CheckMappings(UserfaultfdContext context, Vma target, ulong targetAt, Vma source, ulong sourceAt, ulong length)
    {
        const VmaFlags Compared = VmaFlags.Access | VmaFlags.Locked;
        bool isValid = target.Userfaultfd == context
            && targetAt + length <= target.End && sourceAt + length <= source.End
            && !target.IsShared && !source.IsShared && target.IsAnonymous && source.IsAnonymous
            && !target.IsHugetlb && !source.IsHugetlb
            && (target.Flags & Compared) == (source.Flags & Compared)
            && source.Has(VmaFlags.Write);
        return isValid ? Errno.None : Errno.EINVAL;
    }

    /// <param name="mm">The address space.</param>
    /// <param name="target">The target's mapping.</param>
    /// <param name="targetAt">Where to.</param>
    /// <param name="source">The source's mapping.</param>
    /// <param name="sourceAt">Where from.</param>
    /// <param name="allowHoles">Whether a hole is as good as moved.</param>
    /// <param name="split">Where this call has split a huge entry, of which no page has moved yet.</param>
    /// <returns>EAGAIN: something changed, try again.</returns>
    private static Errno MovePage(MmState mm, Vma target, ulong targetAt, Vma source, ulong sourceAt, bool allowHoles, ref ulong split)
    {
        if (!allowHoles && mm.Table.Find(sourceAt).IsNull)
        {
            // Before the target gets a table.
            return Errno.ENOENT;
        }

        // A hole that may be passed over gets one itself.
        PteTable sourceTable = allowHoles ? mm.Table.Ensure(sourceAt) : mm.Table.Find(sourceAt);
        PteTable targetTable = mm.Table.Ensure(targetAt);
        if (targetTable.IsNull)
        {
            return Errno.ENOMEM;
        }

        Pte seen = sourceTable.IsNull ? Pte.None : Pte.Read(sourceTable.EntryFor(sourceAt));
        if (!Pte.Read(targetTable.EntryFor(targetAt)).IsNone)
        {
            return Errno.EEXIST;
        }

        if (seen.IsNone)
        {
            return allowHoles ? Errno.None : Errno.ENOENT;
        }

        if (seen.IsMarker)
        {
            return Errno.EFAULT;
        }

        if (seen.IsPresent && !seen.IsSpecial && split == HugeRange.StartOf(sourceAt))
        {
            // The first page that moves splits the folio (Linux: split_folio in move_pages_pte); the entry was split before.
            split = ulong.MaxValue;
            ZeroFilledPages.GiveWay(source, HugeRange.StartOf(sourceAt));
            return Errno.EAGAIN;
        }

        return seen.IsPresent && !seen.IsSpecial
            ? MovePresent(mm, target, targetAt, targetTable, source, sourceAt, sourceTable, seen)
            : MoveOther(mm, target, targetAt, targetTable, sourceAt, sourceTable, seen);
    }

    private static Errno MovePresent(
        MmState mm, Vma target, ulong targetAt, PteTable targetTable, Vma source, ulong sourceAt, PteTable sourceTable, Pte seen)
    {
        MmSystem system = mm.System;
        Folio folio = system.Memory.FolioAt(seen.FrameNumber);
        if (!folio.TryGet())
        {
            return Errno.EAGAIN;
        }

        Errno errno;
        using (RankedLock.Scope folioLock = system.FolioLocks.Enter(folio))
        {
            // Rmap must not look for the page between its two places.
            AnonVma? filed = system.Owners.Find<AnonVma>(folio.Record->Owner);
            using RankedLock.Scope rmapLock = filed is null ? default : filed.Enter();
            system.TableLocks.EnterPair(sourceTable, targetTable, out RankedLock.Scope first, out RankedLock.Scope second);
            errno = MovePresentLocked(mm, folio, target, targetAt, targetTable, source, sourceAt, sourceTable, seen);
            second.Dispose();
            first.Dispose();
        }

        system.Pool.Put(folio);
        return errno;
    }

    private static Errno MovePresentLocked(
        MmState mm, Folio folio, Vma target, ulong targetAt, PteTable targetTable, Vma source, ulong sourceAt, PteTable sourceTable, Pte seen)
    {
        ulong* from = sourceTable.EntryFor(sourceAt);
        ulong* to = targetTable.EntryFor(targetAt);
        var now = Pte.Read(from);
        if (!now.IsPresent || now.FrameNumber != seen.FrameNumber || !Pte.Read(to).IsNone)
        {
            return Errno.EAGAIN;
        }

        if (!folio.IsAnonymous || !folio.Has(FolioFlags.Exclusive))
        {
            return Errno.EBUSY;
        }

        now = Pte.Take(from);

        // Nobody may use the page by its old address once it is at the new one.
        mm.Shootdown.Flush();
        folio.Record->Owner = target.AnonVma!.OwnerHandle;
        folio.Record->Index = target.IndexOf(targetAt);
        ulong flags = (target.PageRights & ~Pte.Writable) | (now.Value & Pte.Dirty) | Pte.Writable;
        Pte.Write(to, Pte.ForFrame(now.FrameNumber, flags));
        _ = source;
        return Errno.None;
    }

    /// <summary>The zero page, or a swap entry: the entry itself moves.</summary>
    private static Errno MoveOther(MmState mm, Vma target, ulong targetAt, PteTable targetTable, ulong sourceAt, PteTable sourceTable, Pte seen)
    {
        if (seen.IsSwapSlot && (seen.Value & Pte.SwapExclusive) == 0)
        {
            return Errno.EBUSY;
        }

        mm.System.TableLocks.EnterPair(sourceTable, targetTable, out RankedLock.Scope first, out RankedLock.Scope second);
        ulong* from = sourceTable.EntryFor(sourceAt);
        ulong* to = targetTable.EntryFor(targetAt);
        Errno errno = Errno.EAGAIN;
        var now = Pte.Read(from);
        bool isSame = seen.IsPresent ? now.IsPresent && now.IsSpecial : now == seen;
        if (isSame && Pte.Read(to).IsNone)
        {
            now = Pte.Take(from);
            Pte.Write(to, now.IsPresent ? Pte.ForFrame(now.FrameNumber, (target.PageRights & ~Pte.Writable) | Pte.Special) : now);
            errno = Errno.None;
        }

        second.Dispose();
        first.Dispose();
        return errno;
    }
}
