using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>mlock(2), mlock2(2) and munlock(2) (Linux: <c>mm/mlock.c</c>).</summary>
internal static class Mlock
{
    private const VmaFlags Locks = VmaFlags.Locked | VmaFlags.LockOnFault;

    public static Errno Run(MmState mm, AddressRange range, MlockMode mode)
    {
        ulong start = range.Start.Value & ~(PageSize.Small - 1);
        ulong end = PageCount.FromBytes(range.Length + (range.Start.Value - start)).Bytes + start;
        if (end < start)
        {
            return Errno.EINVAL;
        }

        if (end == start)
        {
            return Errno.None;
        }

        using (RankedSharedLock.WriteScope held = mm.Lock.EnterWrite())
        {
            Errno errno = ChangeFlags(mm, start, end, mode switch
            {
                MlockMode.Unlock => VmaFlags.None,
                MlockMode.OnFault => VmaFlags.Locked | VmaFlags.LockOnFault,
                _ => VmaFlags.Locked,
            });
            if (errno != Errno.None)
            {
                return errno;
            }
        }

        // Also on fault: hugetlb, which is not locked at all, is brought in.
        return mode != MlockMode.Unlock ? PopulateAll(mm, start, end) : Errno.None;
    }

    private static Errno ChangeFlags(MmState mm, ulong start, ulong end, VmaFlags wanted)
    {
        ulong at = start;
        while (at < end)
        {
            if (mm.Vmas.Find(at) is not { } vma)
            {
                return Errno.ENOMEM;
            }

            if ((vma.Flags & Locks) != wanted && !vma.IsHugetlb)
            {
                Errno errno = VmaRange.Isolate(ref vma, start, end);
                if (errno != Errno.None)
                {
                    return errno;
                }

                bool isLock = wanted != VmaFlags.None;
                if (vma.Has(VmaFlags.Locked) != isLock)
                {
                    ulong pages = vma.Length >> PageSize.SmallShift;
                    mm.LockedPages = isLock ? mm.LockedPages + pages : mm.LockedPages - pages;
                }

                vma.SetFlags((vma.Flags & ~Locks) | wanted);
                at = vma.End;
                VmaMerge.MergeWithNeighbours(vma);
            }
            else
            {
                at = vma.End;
            }
        }

        return Errno.None;
    }

    /// <summary>Brings the pages in, as writes where the mapping is private and writable: what is locked needs no copy later.</summary>
    public static Errno PopulateAll(MmState mm, ulong start, ulong end)
    {
        ulong at = start;
        while (at < end)
        {
            ulong partEnd;
            ulong next;
            bool isWrite;
            using (RankedSharedLock.ReadScope held = mm.Lock.EnterRead())
            {
                if (mm.Vmas.FindFrom(at) is not { } vma || vma.Start >= end)
                {
                    // Unmapped meanwhile: there is nothing to bring.
                    return Errno.None;
                }

                at = System.Math.Max(at, vma.Start);
                ulong step = vma.IsHugetlb ? PageSize.Huge : PageSize.Small;
                partEnd = vma.Has(VmaFlags.LockOnFault) ? at : System.Math.Min((at & ~(step - 1)) + step, end);
                next = vma.Has(VmaFlags.LockOnFault) ? vma.End : partEnd;
                isWrite = (vma.Flags & (VmaFlags.Write | VmaFlags.Shared)) == VmaFlags.Write;
            }

            FaultResult result = Populate.Range(mm, at, partEnd, isWrite);
            if (result != FaultResult.Done)
            {
                return result == FaultResult.Killed ? Errno.EINTR : Errno.ENOMEM;
            }

            at = next;
        }

        return Errno.None;
    }
}
