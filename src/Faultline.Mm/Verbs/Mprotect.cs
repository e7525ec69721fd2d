using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>mprotect(2) (Linux: <c>do_mprotect_pkey</c>).</summary>
internal static class Mprotect
{
    public static Errno Run(MmState mm, AddressRange range, Protections protection)
    {
        const Protections Known = Protections.Read | Protections.Write | Protections.Execute;
        ulong start = range.Start.Value;
        if ((start & (PageSize.Small - 1)) != 0 || (protection & ~Known) != 0)
        {
            return Errno.EINVAL;
        }

        if (range.Length == 0)
        {
            return Errno.None;
        }

        ulong length = PageCount.FromBytes(range.Length).Bytes;
        if (!RangeCheck.IsValidUnaligned(start, length))
        {
            return Errno.ENOMEM;
        }

        using RankedSharedLock.WriteScope held = mm.Lock.EnterWriteBesideFaults();
        return RangeLocked(mm, start, start + length, FlagsOf(protection));
    }

    public static VmaFlags FlagsOf(Protections protection) =>
        ((protection & Protections.Read) != 0 ? VmaFlags.Read : 0)
        | ((protection & Protections.Write) != 0 ? VmaFlags.Write : 0)
        | ((protection & Protections.Execute) != 0 ? VmaFlags.Execute : 0);

    /// <remarks>Not atomic: what comes before a hole, or before a mapping that refuses, stays changed.</remarks>
    private static Errno RangeLocked(MmState mm, ulong start, ulong end, VmaFlags rights)
    {
        mm.VmaLocks.StartWriteAround(mm.Vmas, start, end);
        ulong at = start;
        while (at < end)
        {
            if (mm.Vmas.Find(at) is not { } vma)
            {
                return Errno.ENOMEM;
            }

            // Each right needs its "may": four bits up.
            if (((ulong)rights & ~((ulong)vma.Flags >> 4) & (ulong)VmaFlags.Access) != 0)
            {
                return Errno.EACCES;
            }

            if ((vma.Flags & VmaFlags.Access) != rights)
            {
                Errno errno = VmaRange.Isolate(ref vma, start, end);
                if (errno != Errno.None)
                {
                    return errno;
                }

                vma.SetFlags((vma.Flags & ~VmaFlags.Access) | rights);
                _ = ChangeProtection.Range(vma, vma.Start, vma.End, ProtectionChange.Rights);
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
}
