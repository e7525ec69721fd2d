using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>The course that COPY, ZEROPAGE, CONTINUE and POISON have in common (Linux: <c>mfill_atomic</c> and its callers).</summary>
internal static class Fill
{
    /// <summary>Runs a fill.</summary>
    /// <param name="context">The context.</param>
    /// <param name="start">The range's start.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="modes">The modes; the caller has refused those it does not know.</param>
    /// <param name="step">What is done to each page.</param>
    public static FillResult Run<TStep>(UserfaultfdContext context, ulong start, ulong length, FillModes modes, ref TStep step)
        where TStep : struct, IFillStep
    {
        MmState mm = context.Mm;
        if (!mm.TryUse())
        {
            return FillOutcome.Refused(Errno.ESRCH);
        }

        ulong done = 0;
        Errno errno;
        do
        {
            errno = FillLocked(context, start, length, modes, ref step, ref done);
            if (errno == Errno.ENOENT && step.NeedsFetch)
            {
                errno = step.Fetch();
            }
            else
            {
                break;
            }
        }
        while (errno == Errno.None);

        step.End();
        if (done > 0 && (modes & FillModes.DontWake) == 0)
        {
            context.Wake(start, done);
        }

        mm.LeaveUse();
        return FillOutcome.Of(done, length, errno);
    }

    private static Errno FillLocked<TStep>(
        UserfaultfdContext context, ulong start, ulong length, FillModes modes, ref TStep step, ref ulong done)
        where TStep : struct, IFillStep
    {
        MmState mm = context.Mm;
        using RankedSharedLock.ReadScope mapLock = mm.Lock.EnterRead();
        if (FindTarget(mm, start, length) is not { } vma)
        {
            return Errno.ENOENT;
        }

        using RankedSharedLock.ReadScope changeLock = context.MapChanging.EnterRead();
        if (context.IsMapChanging)
        {
            return Errno.EAGAIN;
        }

        Errno errno = step.CheckMapping(vma);
        if (errno != Errno.None)
        {
            return errno;
        }

        if ((modes & FillModes.WriteProtect) != 0 && !vma.Has(VmaFlags.UserfaultfdWriteProtect))
        {
            return Errno.EINVAL;
        }

        return vma.IsHugetlb
            ? FillHugePages(mm, vma, start, length, ref step, ref done)
            : FillPages(context, vma, start, length, ref step, ref done);
    }

    private static Errno FillPages<TStep>(UserfaultfdContext context, Vma vma, ulong start, ulong length, ref TStep step, ref ulong done)
        where TStep : struct, IFillStep
    {
        MmState mm = context.Mm;
        PteTable table = default;
        while (done < length)
        {
            ulong address = start + done;
            if (table.IsNull || (address & (PageSize.Huge - 1)) == 0)
            {
                table = mm.Table.Ensure(address);
                if (table.IsNull)
                {
                    return mm.Table.FindMiddle(address).IsNull ? Errno.ENOMEM : TableErrno(mm, address);
                }
            }

            Errno errno = step.FillPage(context, vma, address, table);
            if (errno != Errno.None)
            {
                return errno;
            }

            done += PageSize.Small;
            if (mm.IsKilled)
            {
                // A fatal signal: the page counts, the loop ends.
                return done < length ? Errno.EINTR : Errno.None;
            }
        }

        return Errno.None;
    }

    /// <summary>Linux: <c>mfill_atomic_hugetlb</c>. What is not made of whole huge pages is refused here, so the field is written.</summary>
    private static Errno FillHugePages<TStep>(MmState mm, Vma vma, ulong start, ulong length, ref TStep step, ref ulong done)
        where TStep : struct, IFillStep
    {
        if (((start | length) & (PageSize.Huge - 1)) != 0)
        {
            return Errno.EINVAL;
        }

        while (done < length)
        {
            Errno errno = step.FillHugePage(vma, start + done);
            if (errno != Errno.None)
            {
                return errno;
            }

            done += PageSize.Huge;
            if (mm.IsKilled)
            {
                return done < length ? Errno.EINTR : Errno.None;
            }
        }

        return Errno.None;
    }

    /// <summary>The mapping that has all of a range and is registered with some userfaultfd (Linux: <c>find_vma_and_prepare_anon</c>).</summary>
    private static Vma? FindTarget(MmState mm, ulong start, ulong length)
    {
        Vma? vma = mm.Vmas.Find(start);
        if (vma is { IsShared: false })
        {
            // Before anything about it is checked: a fill that is refused leaves this behind, and mappings prepared apart do not merge.
            AnonVmaChain.Prepare(vma);
        }

        return vma is not null && vma.IsArmed && vma.End - start >= length ? vma : null;
    }

    /// <summary>A huge mapping in the way is EEXIST, no memory for a table ENOMEM.</summary>
    private static unsafe Errno TableErrno(MmState mm, ulong address)
    {
        PteTable middle = mm.Table.FindMiddle(address);
        return Pte.Read(middle.MiddleEntryFor(address)).IsNone ? Errno.ENOMEM : Errno.EEXIST;
    }
}
