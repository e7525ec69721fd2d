using System;
using System.Runtime.InteropServices;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// Taking pages out of a hugetlb file (Linux: <c>hugetlb_vmtruncate</c>, <c>hugetlbfs_punch_hole</c>, <c>remove_inode_hugepages</c>).
/// </summary>
internal static unsafe class HugetlbTruncate
{
    private const ulong OffsetMask = PageSize.Huge - 1;

    /// <summary>
    /// Cuts a file to a whole number of huge pages, or makes it longer. Under the file lock. The size goes first. What lies beyond goes even if the file
    /// gets no shorter: private mappings may have pages there.
    /// </summary>
    public static void To(HugetlbFile file, ulong size)
    {
        file.SetSize(size);
        ulong first = size >> PageSize.SmallShift;
        Zap.FileRange(file, first, ulong.MaxValue >> PageSize.SmallShift, ZapOptions.PrivateCopies | ZapOptions.DropMarkers);
        RemoveEnd(file, size >> PageSize.HugeShift);
    }

    /// <summary>
    /// Makes a hole of the whole huge pages in a range, and clears what else is in it. Under the file lock. Unlike shmem's, private copies of the
    /// pages go as well; write-protection stays behind as markers.
    /// </summary>
    public static void Punch(HugetlbFile file, ulong start, ulong end)
    {
        ulong wholeStart = (start + OffsetMask) & ~OffsetMask;
        ulong wholeEnd = end & ~OffsetMask;
        if ((start & OffsetMask) != 0)
        {
            ClearWithin(file, start, Math.Min(end, wholeStart));
        }

        if (wholeEnd > wholeStart)
        {
            Zap.FileRange(file, wholeStart >> PageSize.SmallShift, wholeEnd >> PageSize.SmallShift, ZapOptions.PrivateCopies);
        }

        if ((end & OffsetMask) != 0 && end > wholeStart)
        {
            ClearWithin(file, wholeEnd, end);
        }

        if (wholeEnd > wholeStart)
        {
            RemovePages(file, wholeStart >> PageSize.HugeShift, wholeEnd >> PageSize.HugeShift, ZapOptions.PrivateCopies, keepsReservations: false);
        }
    }

    /// <summary>Removes every page from an index on, and every reservation.</summary>
    public static void RemoveEnd(HugetlbFile file, ulong first)
    {
        int removed = RemovePages(
            file, first, ulong.MaxValue, ZapOptions.PrivateCopies | ZapOptions.DropMarkers, keepsReservations: true);
        file.System.Hugetlb.ReleaseEnd(file.Reservation, first, removed);
    }

    /// <returns>How many pages there were.</returns>
    private static int RemovePages(HugetlbFile file, ulong first, ulong end, ZapOptions options, bool keepsReservations)
    {
        int removed = 0;
        ulong index = first;
        while (index < end && file.Cache.TryFindNext(index, out ulong found, out _) && found < end)
        {
            using RankedLock.Scope held = file.EnterIndex(found);
            if (file.TryGetFolio(found, out Folio folio))
            {
                // A fault that came before us has mapped the page under this lock; nobody can after us.
                if (folio.IsMapped)
                {
                    Zap.FileRange(file, found << HugetlbFile.SmallPagesShift, (found + 1) << HugetlbFile.SmallPagesShift, options);
                }

                file.Remove(folio, found);
                file.System.Pool.Put(folio);
                removed++;
                if (!keepsReservations)
                {
                    file.System.Hugetlb.ReleasePage(file.Reservation, found);
                }
            }

            index = found + 1;
        }

        return removed;
    }

    /// <summary>Clears bytes that lie in one page, if the page exists (Linux: <c>hugetlbfs_zero_partial_page</c>).</summary>
    private static void ClearWithin(HugetlbFile file, ulong start, ulong end)
    {
        ulong index = start >> PageSize.HugeShift;
        using RankedLock.Scope held = file.EnterIndex(index);
        if (file.TryGetFolio(index, out Folio folio))
        {
            NativeMemory.Clear(file.System.Pool.BytesOf(folio) + (start & OffsetMask), (nuint)(end - start));
            file.System.Pool.Put(folio);
        }
    }
}
