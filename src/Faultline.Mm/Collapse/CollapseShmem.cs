using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>Making one huge page of the small ones of a file, in its page cache (Linux: <c>collapse_file</c>).</summary>
/// <remarks>
/// The file's lock keeps truncation and calls out. Each small page is unmapped and copied under its own lock and replaced by the piece of the
/// huge one; the huge folio is locked from before its first piece is to be found until its last one is, so nobody maps it before. The
/// references taken to the small pages first keep reclaim from them meanwhile.
/// </remarks>
internal static unsafe class CollapseShmem
{
    private const int Pages = PteTable.Length;

    /// <summary>Collapses the pages from an aligned index on. No lock is held; the caller has a reference to the file.</summary>
    public static CollapseResult Run(ShmemFile file, ulong index, in CollapseLimits limits)
    {
        using RankedLock.Scope fileLock = file.Lock.Enter();
        if (ShmemHugePage.IsAt(file, index))
        {
            return CollapseResult.AlreadyHuge;
        }

        CollapseResult result = Check(file, index, in limits);
        if (result != CollapseResult.Done)
        {
            return result;
        }

        MmSystem system = file.System;
        Folio folio = system.Pool.Allocate(system.Group, PhysicalMemory.HugeOrder);
        if (folio.IsNull)
        {
            bool isOver = system.Group.ChargedPages + Pages > system.Group.LimitPages;
            return isOver ? CollapseResult.OverLimit : CollapseResult.NoMemory;
        }

        uint[] kept = new uint[Pages];
        result = BringIn(file, index, kept);
        if (result == CollapseResult.Done)
        {
            result = Replace(file, index, folio);
        }

        foreach (uint number in kept)
        {
            if (number != 0)
            {
                system.Pool.Put(system.Memory.FolioAt(number));
            }
        }

        system.Pool.Put(folio);
        return result;
    }

    /// <summary>Whether there is enough of the file to make a huge page of, and nobody speaks against it (Linux: <c>hpage_collapse_scan_file</c>).</summary>
    private static CollapseResult Check(ShmemFile file, ulong index, in CollapseLimits limits)
    {
        if (index >= file.SizeInPages)
        {
            return CollapseResult.Unsuitable;
        }

        int absent = 0;
        int swapped = 0;
        for (ulong i = index; i < index + Pages; i++)
        {
            CacheEntry entry = file.Cache.Find(i);
            absent += entry.IsNone ? 1 : 0;
            swapped += entry.IsSwap ? 1 : 0;
        }

        if (swapped > limits.Swapped)
        {
            return CollapseResult.TooManySwapped;
        }

        if (absent == Pages)
        {
            return CollapseResult.Unsuitable;
        }

        if (absent > limits.Absent)
        {
            return CollapseResult.TooManyAbsent;
        }

        using (RankedLock.Scope held = file.Mappings.Enter())
        {
            foreach (Vma vma in file.Mappings.ListLocked(in held))
            {
                if (vma.Mm.HasHandedOutSpans)
                {
                    // The pages may not move under those who look at their bytes.
                    return CollapseResult.Busy;
                }
            }

            if (absent == 0 || !IsAwaited(file, index, in held))
            {
                return CollapseResult.Done;
            }
        }

        // Linux notices when it has unmapped every page.
        Zap.FileRange(file, index, index + Pages, ZapOptions.KeepZeroPages);
        return CollapseResult.TooManyAbsent;
    }

    /// <summary>
    /// Whether a mapping is armed for missing pages in the range: each hole is to be asked about, so none may be filled. One that begins right behind the
    /// range counts for Linux, too.
    /// </summary>
    private static bool IsAwaited(ShmemFile file, ulong index, in RankedLock.Scope held)
    {
        foreach (Vma vma in file.Mappings.ListLocked(in held))
        {
            if (vma.Has(VmaFlags.UserfaultfdMissing) && vma.PageOffset <= index + Pages && index < vma.IndexOf(vma.End))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Brings swapped pages back, makes all up to date, and keeps a reference to each.</summary>
    private static CollapseResult BringIn(ShmemFile file, ulong index, uint[] kept)
    {
        for (int i = 0; i < Pages; i++)
        {
            Errno errno = file.GetFolio(index + (ulong)i, ShmemLookup.NoAllocate, out Folio folio, out RankedLock.Scope held);
            if (errno is Errno.ENOENT or Errno.EINVAL)
            {
                // A hole; or beyond the end, which a huge page may reach beyond.
                continue;
            }

            if (errno != Errno.None)
            {
                return errno == Errno.ENOMEM ? CollapseResult.NoMemory : CollapseResult.Unsuitable;
            }

            held.Dispose();
            kept[i] = folio.Number;
        }

        return CollapseResult.Done;
    }

    private static CollapseResult Replace(ShmemFile file, ulong index, Folio folio)
    {
        MmSystem system = file.System;
        using RankedLock.Scope held = system.FolioLocks.Enter(folio);
        folio.Record->Owner = file.OwnerHandle;
        folio.Record->Index = index;
        folio.Set(FolioFlags.UpToDate | FolioFlags.SwapBacked | FolioFlags.Dirty);
        Zap.FileRange(file, index, index + Pages, ZapOptions.KeepZeroPages);
        for (int i = 0; i < Pages; i++)
        {
            CollapseResult result = ReplacePage(file, index + (ulong)i, folio.Number + (uint)i, folio);
            if (result != CollapseResult.Done)
            {
                TakeBack(file, folio, i);
                return result;
            }
        }

        system.Pool.Lru.Add(folio);
        return CollapseResult.Done;
    }

    /// <summary>Puts one piece of the huge folio in the place of a small page, or of a hole. The cache takes a reference for it.</summary>
    private static CollapseResult ReplacePage(ShmemFile file, ulong index, uint piece, Folio folio)
    {
        MmSystem system = file.System;
        while (true)
        {
            if (!file.Cache.TryGetFolio(index, system.Pool, out Folio old, out CacheEntry entry))
            {
                if (entry.IsSwap)
                {
                    // One that came after we had brought in the others.
                    return CollapseResult.Busy;
                }

                CollapseResult filled = FillHole(file, index, piece, folio);
                if (filled == CollapseResult.AlreadyHuge)
                {
                    continue;
                }

                return filled;
            }

            bool isReplaced = TryReplace(file, index, entry, old, piece, folio);
            system.Pool.Put(old);
            if (isReplaced)
            {
                return CollapseResult.Done;
            }
        }
    }

    /// <returns>Whether the piece is in the page's place; otherwise look again.</returns>
    private static bool TryReplace(ShmemFile file, ulong index, CacheEntry entry, Folio old, uint piece, Folio folio)
    {
        MmSystem system = file.System;
        using RankedLock.Scope held = EnterOther(system, old);
        if (!file.Cache.Holds(index, entry, old))
        {
            return false;
        }

        ShmemHugePage.Unmap(file, old);
        if (old.Has(FolioFlags.UpToDate))
        {
            Unsafe.CopyBlock(system.Memory.BytesAt(piece), system.Memory.BytesAt(entry.FrameNumber), (uint)PageSize.Small);
        }
        else
        {
            NativeMemory.Clear(system.Memory.BytesAt(piece), (nuint)PageSize.Small);
        }

        folio.Get();
        if (!file.Cache.TryReplace(index, entry, CacheEntry.OfFrame(piece)))
        {
            system.Pool.Put(folio);
            return false;
        }

        old.Record->Owner = 0;
        old.Clear(FolioFlags.Dirty);
        system.Pool.Put(old);
        return true;
    }

    /// <summary>
    /// Locks a second folio. Nobody who has the lock of one waits for that of another, but for us: so trying again and again comes to an end.
    /// </summary>
    private static RankedLock.Scope EnterOther(MmSystem system, Folio folio)
    {
        SpinWait spin = default;
        while (!system.FolioLocks.IsHeld(folio))
        {
            RankedLock.Scope held = system.FolioLocks.TryEnter(folio);
            if (held.IsHeld)
            {
                return held;
            }

            spin.SpinOnce();
            Seam.Yield();
        }

        // Both have the same lock.
        return default;
    }

    /// <returns>AlreadyHuge, which it cannot be: somebody has filled the hole, look again.</returns>
    private static CollapseResult FillHole(ShmemFile file, ulong index, uint piece, Folio folio)
    {
        if (!file.TryChargeBlock())
        {
            return CollapseResult.Unsuitable;
        }

        NativeMemory.Clear(file.System.Memory.BytesAt(piece), (nuint)PageSize.Small);
        folio.Get();
        if (file.Cache.TryInsert(index, CacheEntry.OfFrame(piece)))
        {
            return CollapseResult.Done;
        }

        file.System.Pool.Put(folio);
        file.UnchargeBlock();
        return CollapseResult.AlreadyHuge;
    }

    /// <summary>Gives up in the middle: the pieces that are in the cache stay there, as small folios; the others go.</summary>
    private static void TakeBack(ShmemFile file, Folio folio, int done)
    {
        // The first frame has our reference, and one for each piece that is in the cache.
        FolioSplit.Split(file.System.Pool, folio, references: 1, taken: done == 0 ? 0 : done - 1);
        if (done == 0)
        {
            folio.Record->Owner = 0;
        }
        else
        {
            file.System.Pool.Lru.Add(folio);
        }

        for (int i = done == 0 ? 1 : done; i < Pages; i++)
        {
            Folio unused = file.System.Memory.FolioAt(folio.Number + (uint)i);
            unused.Record->Owner = 0;
            file.System.Pool.Put(unused);
        }
    }
}
