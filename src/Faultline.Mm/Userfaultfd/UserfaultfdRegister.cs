using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// UFFDIO_REGISTER and UFFDIO_UNREGISTER, and what closing does to registrations (Linux: <c>userfaultfd_register</c>,
/// <c>userfaultfd_release_all</c>).
/// </summary>
internal static class UserfaultfdRegister
{
    private const UserfaultfdIoctls Basic =
        UserfaultfdIoctls.Wake | UserfaultfdIoctls.Copy | UserfaultfdIoctls.Poison;

    public static RegisterResult Register(UserfaultfdContext context, AddressRange range, RegisterModes modes)
    {
        const RegisterModes Known = RegisterModes.Missing | RegisterModes.WriteProtect | RegisterModes.Minor;
        if (modes == RegisterModes.None || (modes & ~Known) != 0 || !RangeCheck.IsValid(range.Start.Value, range.Length))
        {
            return new(Errno.EINVAL, UserfaultfdIoctls.None);
        }

        MmState mm = context.Mm;
        if (!mm.TryUse())
        {
            return new(Errno.ENOMEM, UserfaultfdIoctls.None);
        }

        ulong start = range.Start.Value;
        Errno errno;
        bool hasHugetlb = false;
        using (RankedSharedLock.WriteScope held = mm.Lock.EnterWrite())
        {
            errno = CheckAll(context, start, start + range.Length, modes, ref hasHugetlb);
            if (errno == Errno.None)
            {
                errno = ChangeAll(mm, start, start + range.Length, context, FlagsOf(modes));
            }
        }

        mm.LeaveUse();
        return errno == Errno.None ? new(errno, IoctlsOf(modes, hasHugetlb)) : new(errno, UserfaultfdIoctls.None);
    }

    public static Errno Unregister(UserfaultfdContext context, AddressRange range)
    {
        ulong start = range.Start.Value;
        if (!RangeCheck.IsValid(start, range.Length))
        {
            return Errno.EINVAL;
        }

        MmState mm = context.Mm;
        if (!mm.TryUse())
        {
            return Errno.ENOMEM;
        }

        Errno errno;
        using (RankedSharedLock.WriteScope held = mm.Lock.EnterWrite())
        {
            errno = CheckUnregister(context, start, start + range.Length);
            if (errno == Errno.None)
            {
                errno = UnregisterAll(context, start, start + range.Length);
            }
        }

        mm.LeaveUse();
        return errno;
    }

    /// <summary>Closes a context: no fault is queued any more, every registration goes, everybody is woken (Linux: <c>userfaultfd_release</c>).</summary>
    public static void Release(UserfaultfdContext context) => End(context, clearsProtection: true);

    /// <summary>
    /// Ends the context of a child that nobody has taken. Write-protection stays in the child's entries, where it means nothing any more (Linux:
    /// <c>userfaultfd_event_wait_completion</c> only resets the mappings).
    /// </summary>
    public static void Abandon(UserfaultfdContext context) => End(context, clearsProtection: false);

    private static void End(UserfaultfdContext context, bool clearsProtection)
    {
        context.MarkReleased();
        MmState mm = context.Mm;
        if (mm.TryUse())
        {
            using (RankedSharedLock.WriteScope held = mm.Lock.EnterWrite())
            {
                Vma? vma = mm.Vmas.FindFrom(0);
                while (vma is not null)
                {
                    if (vma.Userfaultfd == context)
                    {
                        vma = Clear(vma, clearsProtection);
                    }

                    vma = mm.Vmas.Next(vma);
                }
            }

            mm.LeaveUse();
        }

        context.WakeAll();
        mm.RemoveBinding(context);
    }

    /// <summary>Takes a whole mapping out of its registration. Under the mmap lock for writing.</summary>
    /// <returns>The mapping, merged with its neighbours.</returns>
    public static Vma Clear(Vma vma, bool clearsProtection = true)
    {
        if (clearsProtection && vma.Has(VmaFlags.UserfaultfdWriteProtect))
        {
            _ = ChangeProtection.Range(vma, vma.Start, vma.End, ProtectionChange.WriteUnprotect);
        }

        vma.SetUserfaultfd(null, VmaFlags.None);

        // Mappings of a context that nobody took are reset where they are (Linux: userfaultfd_reset_ctx).
        return clearsProtection ? VmaMerge.MergeWithNeighbours(vma) : vma;
    }

    private static VmaFlags FlagsOf(RegisterModes modes) =>
        ((modes & RegisterModes.Missing) != 0 ? VmaFlags.UserfaultfdMissing : 0)
        | ((modes & RegisterModes.WriteProtect) != 0 ? VmaFlags.UserfaultfdWriteProtect : 0)
        | ((modes & RegisterModes.Minor) != 0 ? VmaFlags.UserfaultfdMinor : 0);

    private static UserfaultfdIoctls IoctlsOf(RegisterModes modes, bool hasHugetlb)
    {
        UserfaultfdIoctls ioctls = Basic;
        if (!hasHugetlb)
        {
            ioctls |= UserfaultfdIoctls.Zeropage | UserfaultfdIoctls.Move;
        }

        if ((modes & RegisterModes.WriteProtect) != 0)
        {
            ioctls |= UserfaultfdIoctls.WriteProtect;
        }

        return (modes & RegisterModes.Minor) != 0 ? ioctls | UserfaultfdIoctls.Continue : ioctls;
    }

    private static Errno CheckAll(UserfaultfdContext context, ulong start, ulong end, RegisterModes modes, ref bool hasHugetlb)
    {
        MmState mm = context.Mm;
        Vma? vma = mm.Vmas.FindFrom(start);
        if (vma is null || vma.Start >= end)
        {
            return Errno.EINVAL;
        }

        if (vma.IsHugetlb && (start & (PageSize.Huge - 1)) != 0)
        {
            return Errno.EINVAL;
        }

        for (; vma is not null && vma.Start < end; vma = mm.Vmas.Next(vma))
        {
            if (!CanRegister(vma, modes))
            {
                return Errno.EINVAL;
            }

            if (!vma.Has(VmaFlags.MayWrite))
            {
                return Errno.EPERM;
            }

            if (vma.IsHugetlb && end > vma.Start && end <= vma.End && (end & (PageSize.Huge - 1)) != 0)
            {
                return Errno.EINVAL;
            }

            if (vma.Userfaultfd is { } owner && owner != context)
            {
                return Errno.EBUSY;
            }

            hasHugetlb |= vma.IsHugetlb;
        }

        return Errno.None;
    }

    /// <summary>Whether a kind of memory knows the modes (Linux: <c>vma_can_userfault</c>).</summary>
    private static bool CanRegister(Vma vma, RegisterModes modes) =>
        (modes & RegisterModes.Minor) == 0 || vma.IsHugetlb || vma.File is ShmemFile;

    private static Errno ChangeAll(MmState mm, ulong start, ulong end, UserfaultfdContext context, VmaFlags modes)
    {
        for (Vma? vma = mm.Vmas.FindFrom(start); vma is not null && vma.Start < end; vma = mm.Vmas.Next(vma))
        {
            // A mapping that has all the modes already is left as it is; else they are replaced, not joined.
            if (vma.Userfaultfd == context && (vma.Flags & modes) == modes)
            {
                continue;
            }

            Errno errno = VmaRange.Isolate(ref vma, start, end);
            if (errno != Errno.None)
            {
                return errno;
            }

            vma.SetUserfaultfd(context, modes);
            vma = VmaMerge.MergeWithNeighbours(vma);
        }

        return Errno.None;
    }

    private static Errno CheckUnregister(UserfaultfdContext context, ulong start, ulong end)
    {
        MmState mm = context.Mm;
        Vma? vma = mm.Vmas.FindFrom(start);
        if (vma is null || vma.Start >= end || (vma.IsHugetlb && (start & (PageSize.Huge - 1)) != 0))
        {
            return Errno.EINVAL;
        }

        for (; vma is not null && vma.Start < end; vma = mm.Vmas.Next(vma))
        {
            if (vma.Userfaultfd is { } owner && owner != context)
            {
                return Errno.EINVAL;
            }
        }

        // An end inside a huge page is noticed when a registered mapping would have to be cut there; what comes before is done then.
        return Errno.None;
    }

    private static Errno UnregisterAll(UserfaultfdContext context, ulong start, ulong end)
    {
        MmState mm = context.Mm;
        for (Vma? vma = mm.Vmas.FindFrom(start); vma is not null && vma.Start < end; vma = mm.Vmas.Next(vma))
        {
            if (vma.Userfaultfd is null)
            {
                continue;
            }

            // Even if the mapping then cannot be cut. Waiters of minor and write-protect faults alone keep sleeping until they are woken.
            ulong from = System.Math.Max(start, vma.Start);
            if (vma.Has(VmaFlags.UserfaultfdMissing))
            {
                context.Wake(from, System.Math.Min(end, vma.End) - from);
            }

            Errno errno = VmaRange.Isolate(ref vma, start, end);
            if (errno != Errno.None)
            {
                // The protection is taken away first, too. The mapping may have been cut at the start before it could not be cut at the end.
                Vma rest = mm.Vmas.Find(from)!;
                if (rest.IsHugetlb && rest.Has(VmaFlags.UserfaultfdWriteProtect))
                {
                    ulong last = System.Math.Min((end + PageSize.Huge - 1) & ~(PageSize.Huge - 1), rest.End);
                    _ = ChangeProtection.Range(rest, from, last, ProtectionChange.WriteUnprotect);
                }

                return errno;
            }

            vma = Clear(vma);
        }

        return Errno.None;
    }
}
