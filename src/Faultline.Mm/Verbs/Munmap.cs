using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>munmap(2) (Linux: <c>do_vmi_munmap</c>).</summary>
internal static class Munmap
{
    public static Errno Run(MmState mm, AddressRange range)
    {
        ulong start = range.Start.Value;
        ulong length = PageCount.FromBytes(range.Length).Bytes;
        if ((start & (PageSize.Small - 1)) != 0 || range.Length == 0 || !RangeCheck.IsValidUnaligned(start, length))
        {
            return Errno.EINVAL;
        }

        var events = new EventList();
        Errno errno;
        using (RankedSharedLock.WriteScope held = mm.Lock.EnterWriteBesideFaults())
        {
            errno = RangeLocked(mm, start, start + length, events);
        }

        // UNMAP comes after the fact.
        events.TellAll();
        return errno;
    }

    /// <summary>Unmaps what there is in a range. Under the mmap lock for writing.</summary>
    /// <returns>EINVAL (in the middle of a hugetlb page), ENOMEM (a split beyond the limit); nothing is unmapped then.</returns>
    public static Errno RangeLocked(MmState mm, ulong start, ulong end, EventList events)
    {
        Vma? first = mm.Vmas.FindFrom(start);
        if (first is null || first.Start >= end)
        {
            return Errno.None;
        }

        mm.VmaLocks.StartWriteAround(mm.Vmas, start, end);
        if (first.Start < start)
        {
            Errno errno = VmaRange.Cut(first, start, out first);
            if (first is null)
            {
                return errno;
            }
        }

        if (mm.Vmas.Find(end) is { } last && last.Start < end)
        {
            Errno errno = VmaRange.Cut(last, end, out _);
            if (errno != Errno.None)
            {
                // What lies before the mapping that cannot be cut was announced by then, and is told of all the same.
                for (Vma? vma = mm.Vmas.Find(start) ?? first; vma is not null && vma != last; vma = mm.Vmas.Next(vma))
                {
                    events.BeginUnmap(vma, start, end);
                }

                return errno;
            }
        }

        var gather = TlbGather.Begin(mm, start, end);
        for (Vma? vma = mm.Vmas.Find(start) ?? first; vma is not null && vma.Start < end; vma = mm.Vmas.Next(vma))
        {
            events.BeginUnmap(vma, start, end);
            Zap.Range(gather, vma, vma.Start, vma.End, ZapOptions.PrivateCopies | ZapOptions.DropMarkers);
        }

        gather.End();
        while (mm.Vmas.FindFrom(start) is { } vma && vma.Start < end)
        {
            if (vma.Has(VmaFlags.Locked))
            {
                mm.LockedPages -= vma.Length >> PageSize.SmallShift;
            }

            VmaMerge.Unlink(vma);
        }

        ulong floor = mm.Vmas.FindBefore(start)?.End ?? 0;
        ulong ceiling = mm.Vmas.FindFrom(end)?.Start ?? 1UL << 47;
        mm.Table.FreeRange(floor, ceiling, mm.Shootdown);
        return Errno.None;
    }
}
