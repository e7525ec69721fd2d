using System.Diagnostics;
using System.Runtime.InteropServices;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// A file of huge pages (Linux: a hugetlbfs inode, <c>fs/hugetlbfs/inode.c</c>). Mappings with <c>MAP_HUGETLB</c> have one too, of their own. Its
/// cache is indexed in huge pages; <see cref="Frame.Index"/> counts small ones, as everywhere.
/// </summary>
internal sealed unsafe class HugetlbFile : BackingFile
{
    /// <summary>log2 of the small pages in a huge one.</summary>
    public const int SmallPagesShift = PageSize.HugeShift - PageSize.SmallShift;

    private const ulong BlocksPerPage = PageSize.Huge / 512;

    public HugetlbFile(MmSystem system, string name, ulong size)
        : base(system, name, size)
    {
    }

    public override bool IsHugetlb => true;

    public override ulong Blocks => (ulong)Cache.PageCount * BlocksPerPage;

    /// <summary>Which pages are reserved, or there.</summary>
    public HugetlbReservation Reservation { get; } = new(isShared: true);

    /// <summary>The whole huge pages up to the end.</summary>
    public ulong SizeInHugePages => Size >> PageSize.HugeShift;

    /// <summary>The index of the huge page at an address of a mapping.</summary>
    public static ulong IndexOf(Vma vma, ulong address) => vma.IndexOf(address) >> SmallPagesShift;

    /// <summary>Against which reservation a mapping takes pages; null for none.</summary>
    public HugetlbReservation? ReservationOf(Vma vma) => vma.IsShared ? Reservation : vma.HugetlbReservation;

    /// <summary>The lock of an index.</summary>
    public RankedLock.Scope EnterIndex(ulong index) => System.HugetlbFaultLocks.Enter(this, index);

    /// <summary>The page at an index, with a reference.</summary>
    public bool TryGetFolio(ulong index, out Folio folio) => Cache.TryGetFolio(index, System.Pool, out folio, out _);

    /// <summary>Takes a page for an index that has none, and clears it. Under the index's lock.</summary>
    public Errno TakeZeroed(HugetlbReservation? reservation, ulong index, out Folio folio)
    {
        Errno errno = System.Hugetlb.Take(reservation, index, out folio);
        if (errno == Errno.None)
        {
            NativeMemory.Clear(System.Pool.BytesOf(folio), (nuint)PageSize.Huge);
            folio.Set(FolioFlags.UpToDate);
        }

        return errno;
    }

    /// <summary>Puts a filled page into the cache, which gets a reference of its own. Under the index's lock; there is no page yet.</summary>
    /// <param name="folio">The page.</param>
    /// <param name="index">Its index.</param>
    /// <param name="mayLieBeyond">Whether it may lie beyond the end: fallocate, under the file lock, makes the file longer afterwards.</param>
    /// <returns>Whether it is in; a truncation that comes later finds it.</returns>
    public bool TryInsert(Folio folio, ulong index, bool mayLieBeyond = false)
    {
        folio.Record->Owner = OwnerHandle;
        folio.Record->Index = index << SmallPagesShift;
        folio.Get();
        bool isInserted = Cache.TryInsert(index, CacheEntry.Of(folio));
        Debug.Assert(isInserted, "Pages come and go under the lock of their index.");
        if (index < SizeInHugePages || mayLieBeyond)
        {
            // Only now: a truncation that did not find the page has nothing to give back for it.
            System.Hugetlb.KeepInFile(Reservation, index, folio);
            return true;
        }

        // What was reserved beyond the end went with the end.
        HugetlbPool.Keep(folio);
        Remove(folio, index);
        return false;
    }

    /// <summary>Takes a page out of the cache, with the cache's reference. Under the index's lock.</summary>
    public void Remove(Folio folio, ulong index)
    {
        if (Cache.TryRemove(index, CacheEntry.Of(folio)))
        {
            folio.Record->Owner = 0;
            System.Pool.Put(folio);
        }
    }

    public override void TruncateTo(ulong size) => HugetlbTruncate.To(this, size);

    public override void PunchHole(ulong start, ulong end) => HugetlbTruncate.Punch(this, start, end);

    public override void CloseMapping(Vma vma)
    {
        if (vma.HugetlbReservation is { } reservation)
        {
            System.Hugetlb.ReleaseMapping(reservation, IndexOf(vma, vma.Start), IndexOf(vma, vma.End));
            vma.HugetlbReservation = null;
        }

        base.CloseMapping(vma);
    }

    protected override void RemoveAllPages() => HugetlbTruncate.RemoveEnd(this, 0);
}
