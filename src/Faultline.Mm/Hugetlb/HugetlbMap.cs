namespace Faultline.Mm;

/// <summary>What mapping huge pages asks for beyond what other memory does (Linux: <c>hugetlbfs_file_mmap</c>).</summary>
internal static class HugetlbMap
{
    /// <summary>Reserves the pages of a new mapping, and makes its file long enough. Under the file lock and the mmap lock for writing.</summary>
    /// <returns>EINVAL (an offset within a huge page), ENOMEM (the pool).</returns>
    public static Errno Prepare(Vma vma, HugetlbFile file)
    {
        ulong start = vma.PageOffset << PageSize.SmallShift;
        if ((start & (PageSize.Huge - 1)) != 0)
        {
            return Errno.EINVAL;
        }

        if (!vma.Has(VmaFlags.NoReserve))
        {
            HugetlbReservation reservation = vma.IsShared ? file.Reservation : new HugetlbReservation(isShared: false);
            ulong first = HugetlbFile.IndexOf(vma, vma.Start);
            if (!file.System.Hugetlb.TryReserve(reservation, first, first + (vma.Length >> PageSize.HugeShift)))
            {
                return Errno.ENOMEM;
            }

            vma.HugetlbReservation = vma.IsShared ? null : reservation;
        }

        ulong end = start + vma.Length;
        if (vma.Has(VmaFlags.Write) && file.Size < end)
        {
            file.SetSize(end);
        }

        return Errno.None;
    }
}
