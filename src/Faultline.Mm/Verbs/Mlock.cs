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
                if (!isLock)
                {
                    EndForgotten(vma);
                }

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

    /// <summary>
    /// Pages of a mapping that loses its lock without munlock: what is mapped stays as if it were locked until it is freed, wherever it moves
    /// (Linux: <c>dontunmap_complete</c> clears the flags of the whole mapping, and PG_mlocked stays behind).
    /// </summary>
    /// <remarks>Under the mmap lock for writing.</remarks>
    public static void LeaveLocked(Vma vma) => MarkPages(vma, FolioFlags.Locked, FolioFlags.LockForgotten);

    /// <summary>munlock, of what an earlier mapping left locked; only if that is not counted any more (Linux: <c>__munlock_folio</c>).</summary>
    private static void EndForgotten(Vma vma) => MarkPages(vma, FolioFlags.None, FolioFlags.Locked | FolioFlags.LockForgotten);

    private static void MarkPages(Vma vma, FolioFlags set, FolioFlags clear)
    {
        MmState mm = vma.Mm;
        ulong address = vma.Start;
        while ((address = mm.Table.SkipAbsent(address, vma.End)) < vma.End)
        {
            EntryPlace place = mm.Table.FindEntry(address);
            ulong step = PageSize.Small;
            if (!place.IsNull)
            {
                using RankedLock.Scope held = mm.System.TableLocks.Enter(place.Table);
                step = place.IsHuge ? PageSize.Huge - (address & (PageSize.Huge - 1)) : step;
                Pte entry = place.ReadLocked();
                Folio folio = entry.IsPresent && !entry.IsSpecial ? mm.System.Memory.FolioAt(entry.FrameNumber) : default;
                bool isMeant = !folio.IsNull && (set != FolioFlags.None ? IsLockedAtOnce(folio) : folio.Has(FolioFlags.LockForgotten));
                if (isMeant)
                {
                    mm.System.Pool.Lru.Move(folio, set, clear);
                }
            }

            address += step;
        }
    }

    /// <summary>A huge page of a file is locked by mlock only if it is mapped already, and otherwise late (Linux: <c>__folio_add_rmap</c>).</summary>
    private static bool IsLockedAtOnce(Folio folio) => folio.Order == 0 || folio.IsAnonymous;
}
