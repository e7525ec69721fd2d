using System;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>UFFDIO_WRITEPROTECT (Linux: <c>mwriteprotect_range</c>).</summary>
internal static class UserfaultfdWriteProtect
{
    public static Errno Run(UserfaultfdContext context, AddressRange range, WriteProtectModes modes)
    {
        const WriteProtectModes Known = WriteProtectModes.Protect | WriteProtectModes.DontWake;
        if (context.IsMapChanging)
        {
            return Errno.EAGAIN;
        }

        ulong start = range.Start.Value;
        if (!RangeCheck.IsValid(start, range.Length) || (modes & ~Known) != 0 || modes == Known)
        {
            return Errno.EINVAL;
        }

        if (!context.Mm.TryUse())
        {
            return Errno.ESRCH;
        }

        bool protects = (modes & WriteProtectModes.Protect) != 0;
        Errno errno = ChangeRange(context, start, start + range.Length, protects);
        context.Mm.LeaveUse();
        if (errno == Errno.None && modes == WriteProtectModes.None)
        {
            context.Wake(start, range.Length);
        }

        return errno;
    }

    private static Errno ChangeRange(UserfaultfdContext context, ulong start, ulong end, bool protects)
    {
        using RankedSharedLock.ReadScope mapLock = context.Mm.Lock.EnterRead();
        using RankedSharedLock.ReadScope changeLock = context.MapChanging.EnterRead();
        if (context.IsMapChanging)
        {
            return Errno.EAGAIN;
        }

        // No mapping at all is ENOENT; so is one without write-protection, with those before it changed.
        Errno errno = Errno.ENOENT;
        for (Vma? vma = context.Mm.Vmas.FindFrom(start); vma is not null && vma.Start < end; vma = context.Mm.Vmas.Next(vma))
        {
            if (!vma.Has(VmaFlags.UserfaultfdWriteProtect))
            {
                return Errno.ENOENT;
            }

            if (vma.IsHugetlb && ((start | end) & (PageSize.Huge - 1)) != 0)
            {
                return Errno.EINVAL;
            }

            errno = ChangeProtection.Range(
                vma,
                Math.Max(start, vma.Start),
                Math.Min(end, vma.End),
                protects ? ProtectionChange.WriteProtect : ProtectionChange.WriteUnprotect);
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        return errno;
    }
}
