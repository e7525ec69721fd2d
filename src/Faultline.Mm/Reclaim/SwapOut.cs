using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// Taking one folio out of memory: unmapped by rmap, written to swap, and gone from its cache (Linux:
/// <c>shrink_folio_list</c> for one folio).
/// </summary>
internal static unsafe class SwapOut
{
    /// <summary>Swaps out a folio that the caller has a reference to.</summary>
    /// <returns>Whether it is out of every entry and cache; the caller's reference is then the last.</returns>
    public static bool TryFolio(MmSystem system, Folio folio)
    {
        if (!system.Swap.IsAvailable && !folio.Has(FolioFlags.LazilyFreed))
        {
            return false;
        }

        if (folio.Has(FolioFlags.Locked))
        {
            folio.Set(FolioFlags.LockForgotten);
            return false;
        }

        using RankedLock.Scope held = system.FolioLocks.TryEnter(folio);
        if (!held.IsHeld || !folio.Has(FolioFlags.UpToDate) || folio.Has(FolioFlags.Hugetlb))
        {
            return false;
        }

        if (folio.Order != 0 && !TrySplit(system, folio))
        {
            return false;
        }

        bool wasGivenUp = folio.Has(FolioFlags.LazilyFreed);
        if (folio.IsAnonymous && TryDrop(system, folio))
        {
            return true;
        }

        if (wasGivenUp && !folio.Has(FolioFlags.LazilyFreed))
        {
            // It was written to, and is ordinary memory from here on: its turn comes again (Linux: try_to_unmap_one, folio_set_swapbacked).
            return false;
        }

        return system.Swap.IsAvailable && TryWriteOut(system, folio);
    }

    private static bool TryWriteOut(MmSystem system, Folio folio) => folio.IsAnonymous
        ? TryAnonymous(system, folio)
        : system.Owners.Find<IMappable>(folio.Record->Owner) is ShmemFile file && TryShmem(system, file, folio);

    /// <summary>Splits a locked huge folio. Its first page goes on from here, the others are on the lists by themselves.</summary>
    public static bool TrySplit(MmSystem system, Folio folio)
    {
        if (folio.IsAnonymous)
        {
            var split = default(SplitEntries);
            RmapWalk.ForEach(system, folio, ref split);
        }
        else if (system.Owners.Find<IMappable>(folio.Record->Owner) is ShmemFile file)
        {
            ShmemHugePage.Split(file, folio);
        }

        return folio.Order == 0;
    }

    /// <summary>Drops a page that was given up (MADV_FREE) and not written to since.</summary>
    private static bool TryDrop(MmSystem system, Folio folio)
    {
        if (!folio.Has(FolioFlags.LazilyFreed) || folio.Has(FolioFlags.SwapCache | FolioFlags.Dirty))
        {
            return false;
        }

        var visitor = default(UnmapEntries<DropClean>);
        RmapWalk.ForEach(system, folio, ref visitor);
        return !folio.IsMapped;
    }

    private static bool TryAnonymous(MmSystem system, Folio folio)
    {
        if (!folio.Has(FolioFlags.SwapCache) && system.Swap.AddToCache(folio).IsNone)
        {
            return false;
        }

        var slot = new SwapSlot(folio.Record->Swap);
        var visitor = new UnmapEntries<UnmapToSwap>(new UnmapToSwap(slot));
        RmapWalk.ForEach(system, folio, ref visitor);

        // Nobody can write to it any more, so what is written now is what will be read.
        if (folio.IsMapped || !system.Swap.TryWrite(slot, system.Memory.SpanAt(folio.Number)))
        {
            // It stays in the swap cache if an entry refers to the slot, and is found there.
            SwapIo.DropIfOrphan(system, folio, slot);
            return false;
        }

        // Ours, and the cache's.
        if (folio.RefCount != 2)
        {
            SwapIo.DropIfOrphan(system, folio, slot);
            return false;
        }

        system.Swap.NoteEviction(slot);
        system.Swap.RemoveFromCache(folio);
        system.Pool.Put(folio);
        return true;
    }

    private static bool TryShmem(MmSystem system, ShmemFile file, Folio folio)
    {
        if (folio.IsMapped)
        {
            var visitor = default(UnmapEntries<UnmapFile>);
            RmapWalk.ForEach(system, folio, ref visitor);
        }

        // Ours, and the page cache's.
        if (folio.IsMapped || folio.RefCount != 2)
        {
            return false;
        }

        if (!folio.Has(FolioFlags.Dirty))
        {
            // Never written to: it is a hole again, and costs no slot (Linux: __remove_mapping after pageout was not needed).
            file.Remove(folio);
            file.UnchargeBlock();
            return true;
        }

        SwapSlot slot = system.Swap.AddToCache(folio);
        if (slot.IsNone)
        {
            return false;
        }

        system.Swap.AddReference(slot);
        bool isOut = system.Swap.TryWrite(slot, system.Memory.SpanAt(folio.Number))
            && file.Cache.TryReplace(folio.Index, CacheEntry.Of(folio), CacheEntry.Of(slot));
        if (isOut)
        {
            folio.Record->Owner = 0;
            system.Swap.NoteEviction(slot);
        }
        else
        {
            _ = system.Swap.RemoveReference(slot);
        }

        system.Swap.RemoveFromCache(folio);

        // The swap cache's reference, and the page cache's if it has let go.
        system.Pool.Put(folio, isOut ? 2 : 1);
        return isOut;
    }
}
