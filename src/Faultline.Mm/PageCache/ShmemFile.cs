using System.Runtime.InteropServices;
using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// A file of shmem: what a file is, with blocks and a limit (Linux: a tmpfs inode, <c>mm/shmem.c</c>). Shared anonymous memory is one too.
/// </summary>
/// <remarks>Locks: the file lock for size against contents in calls, the folio lock for each page.</remarks>
internal sealed unsafe class ShmemFile : BackingFile
{
    /// <summary>Blocks of 512 bytes in a page.</summary>
    private const ulong BlocksPerPage = PageSize.Small / 512;

    /// <summary>The most pages, or zero for no limit. Never changes.</summary>
    private readonly ulong _limitPages;

    /// <summary>Pages charged to the file: in memory, swapped out, or about to be inserted. Guard: atomic.</summary>
    private long _chargedPages;

    public ShmemFile(MmSystem system, string name, ulong size, ulong limitBytes)
        : base(system, name, size) => _limitPages = (limitBytes + PageSize.Small - 1) >> PageSize.SmallShift;

    /// <summary>The pages up to the end, the last partial one included.</summary>
    public ulong SizeInPages => PageCount.FromBytes(Size).Value;

    public override bool IsHugetlb => false;

    public override ulong Blocks => (ulong)Volatile.Read(ref _chargedPages) * BlocksPerPage;

    public override void TruncateTo(ulong size) => Truncate.To(this, size);

    public override void PunchHole(ulong start, ulong end) => Truncate.Punch(this, start, end);

    /// <summary>Takes room for one page (Linux: <c>shmem_inode_acct_blocks</c>).</summary>
    public bool TryChargeBlock()
    {
        long charged = Interlocked.Increment(ref _chargedPages);
        if (_limitPages == 0 || (ulong)charged <= _limitPages)
        {
            return true;
        }

        Interlocked.Decrement(ref _chargedPages);
        return false;
    }

    public void UnchargeBlock() => Interlocked.Decrement(ref _chargedPages);

    /// <summary>
    /// Finds, or makes, the page at an index (Linux: <c>shmem_get_folio_gfp</c>).
    /// </summary>
    /// <param name="index">The index in pages.</param>
    /// <param name="mode">What to do where there is no page, and beyond the end.</param>
    /// <param name="folio">The folio, locked and with a reference, or the null folio.</param>
    /// <param name="folioLock">Its lock; the caller lets go of it, and then of the reference.</param>
    /// <returns>EINVAL (beyond the end), ENOENT (<see cref="ShmemLookup.NoAllocate"/>), ENOSPC (limit), ENOMEM, EIO (swap).</returns>
    public Errno GetFolio(ulong index, ShmemLookup mode, out Folio folio, out RankedLock.Scope folioLock)
    {
        while (true)
        {
            folioLock = default;
            folio = default;
            if (mode <= ShmemLookup.Cache && index >= SizeInPages)
            {
                return Errno.EINVAL;
            }

            if (Cache.TryGetFolio(index, System.Pool, out folio, out CacheEntry entry))
            {
                folioLock = System.FolioLocks.Enter(folio);
                if (Cache.Holds(index, entry, folio))
                {
                    UseFound(mode, ref folio, ref folioLock);
                    return folio.IsNull && mode == ShmemLookup.NoAllocate ? Errno.ENOENT : Errno.None;
                }

                folioLock.Dispose();
                System.Pool.Put(folio);
                continue;
            }

            Errno errno = entry.IsSwap ? SwapIn(index, entry) : Errno.EEXIST;
            if (errno == Errno.None)
            {
                continue;
            }

            if (entry.IsSwap)
            {
                folio = default;
                return errno;
            }

            if (mode <= ShmemLookup.NoAllocate)
            {
                return mode == ShmemLookup.NoAllocate ? Errno.ENOENT : Errno.None;
            }

            errno = Allocate(index, mode, out folio, out folioLock);
            if (errno != Errno.EEXIST)
            {
                return errno;
            }
        }
    }

    /// <summary>Puts a filled page into the cache. The folio is locked; the block is charged by the caller.</summary>
    /// <returns>Whether nothing was there. The cache then has a reference of its own.</returns>
    public bool TryInsert(Folio folio, ulong index)
    {
        folio.Record->Owner = OwnerHandle;
        folio.Record->Index = index;
        folio.Set(FolioFlags.SwapBacked);
        folio.Get();
        if (Cache.TryInsert(index, CacheEntry.Of(folio)))
        {
            return true;
        }

        folio.Record->Owner = 0;
        System.Pool.Put(folio);
        return false;
    }

    /// <summary>Takes a locked folio out of the cache again, with the cache's references: one for each page.</summary>
    public void Remove(Folio folio)
    {
        int removed = 0;
        for (uint i = 0; i < (uint)folio.FrameCount; i++)
        {
            removed += Cache.TryRemove(folio.Index + i, CacheEntry.OfFrame(folio.Number + i)) ? 1 : 0;
        }

        if (removed != 0)
        {
            folio.Record->Owner = 0;
            System.Pool.Put(folio, removed);
        }
    }

    protected override void RemoveAllPages() => Truncate.RemovePages(this, 0, ulong.MaxValue);

    private void UseFound(ShmemLookup mode, ref Folio folio, ref RankedLock.Scope folioLock)
    {
        if (folio.Has(FolioFlags.UpToDate) || mode == ShmemLookup.Write)
        {
            return;
        }

        if (mode == ShmemLookup.Read)
        {
            folioLock.Dispose();
            System.Pool.Put(folio);
            folio = default;
            return;
        }

        NativeMemory.Clear(System.Pool.BytesOf(folio), (nuint)PageSize.Small);
        folio.Set(FolioFlags.UpToDate);
    }

    private Errno Allocate(ulong index, ShmemLookup mode, out Folio folio, out RankedLock.Scope folioLock)
    {
        folio = default;
        folioLock = default;
        if (!TryChargeBlock())
        {
            return Errno.ENOSPC;
        }

        Folio fresh = mode == ShmemLookup.Cache ? System.Pool.AllocateZeroed(System.Group) : System.Pool.Allocate(System.Group);
        if (fresh.IsNull)
        {
            UnchargeBlock();
            return Errno.ENOMEM;
        }

        RankedLock.Scope held = System.FolioLocks.Enter(fresh);
        if (!TryInsert(fresh, index))
        {
            held.Dispose();
            UnchargeBlock();
            System.Pool.Put(fresh);
            return Errno.EEXIST;
        }

        if (mode <= ShmemLookup.Cache && index >= SizeInPages)
        {
            // Truncated meanwhile: the one that truncates may have looked before we inserted.
            Remove(fresh);
            held.Dispose();
            UnchargeBlock();
            System.Pool.Put(fresh);
            return Errno.EINVAL;
        }

        System.Pool.Lru.Add(fresh);
        folio = fresh;
        folioLock = held;
        return Errno.None;
    }

    /// <summary>Brings a swapped page back into the cache (Linux: <c>shmem_swapin_folio</c>).</summary>
    private Errno SwapIn(ulong index, CacheEntry entry)
    {
        Folio folio = SwapIo.GetFolio(System, entry.Slot, out Errno errno);
        if (folio.IsNull)
        {
            // Somebody else was faster, if the entry is another one now.
            return Cache.Find(index) == entry ? errno : Errno.None;
        }

        using (RankedLock.Scope held = System.FolioLocks.Enter(folio))
        {
            if (folio.Has(FolioFlags.SwapCache) && folio.Record->Swap == entry.Slot.Number && Cache.TryReplace(index, entry, CacheEntry.Of(folio)))
            {
                folio.Record->Owner = OwnerHandle;
                folio.Record->Index = index;
                folio.Set(FolioFlags.Dirty | FolioFlags.SwapBacked);

                // The swap cache's reference becomes the page cache's.
                System.Swap.RemoveFromCache(folio);
                SwapIo.RemoveReference(System, entry.Slot);
            }
        }

        System.Pool.Put(folio);
        return Errno.None;
    }
}
