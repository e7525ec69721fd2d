using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Reading swapped pages back into the swap cache (Linux: <c>read_swap_cache_async</c>).</summary>
internal static class SwapIo
{
    /// <summary>Pages that this thread has read from the device: a fault that had to is a major one.</summary>
    [System.ThreadStatic]
    private static long _readsByThread;

    public static long ReadsByThread => _readsByThread;

    /// <summary>The folio of a slot: the one in the swap cache, or one read now and put there.</summary>
    /// <param name="system">The engine.</param>
    /// <param name="slot">The slot; the caller has seen an entry that refers to it.</param>
    /// <param name="errno">ENOMEM, EIO (the device), EAGAIN (nobody refers to the slot any more: look again).</param>
    /// <returns>The folio with a reference, up to date; or the null folio.</returns>
    public static Folio GetFolio(MmSystem system, SwapSlot slot, out Errno errno)
    {
        errno = Errno.None;
        while (true)
        {
            Folio folio = system.Swap.FindCached(slot, system.Memory);
            if (!folio.IsNull)
            {
                // Whoever put it there reads it under its lock.
                using RankedLock.Scope held = system.FolioLocks.Enter(folio);
                if (folio.Has(FolioFlags.UpToDate))
                {
                    return folio;
                }
            }

            if (!folio.IsNull)
            {
                system.Pool.Put(folio);
                errno = Errno.EIO;
                return default;
            }

            if (TryRead(system, slot, out folio, out errno))
            {
                return folio;
            }

            if (errno != Errno.EEXIST)
            {
                return default;
            }
        }
    }

    /// <summary>
    /// One entry less refers to a slot. With the last one goes the folio in the swap cache, if nobody is busy with it (Linux: <c>free_swap_and_cache</c>).
    /// May be called under a table's lock.
    /// </summary>
    public static void RemoveReference(MmSystem system, SwapSlot slot)
    {
        if (!system.Swap.RemoveReference(slot))
        {
            return;
        }

        Folio folio = system.Swap.FindCached(slot, system.Memory);
        if (folio.IsNull)
        {
            return;
        }

        using (RankedLock.Scope held = system.FolioLocks.TryEnter(folio))
        {
            if (held.IsHeld)
            {
                DropIfOrphan(system, folio, slot);
            }
            else
            {
                system.Swap.AddOrphan(slot);
            }
        }

        system.Pool.Put(folio);
    }

    /// <summary>Drops the folios that were busy then. No lock may be held.</summary>
    public static void DropOrphans(MmSystem system)
    {
        while (system.Swap.TryTakeOrphan(out SwapSlot slot))
        {
            Folio folio = system.Swap.FindCached(slot, system.Memory);
            if (folio.IsNull)
            {
                continue;
            }

            using (RankedLock.Scope held = system.FolioLocks.Enter(folio))
            {
                DropIfOrphan(system, folio, slot);
            }

            system.Pool.Put(folio);
        }
    }

    /// <summary>Takes a locked folio out of the swap cache if nothing refers to its slot: no entry can come to refer to it again.</summary>
    public static void DropIfOrphan(MmSystem system, Folio folio, SwapSlot slot)
    {
        if (folio.Has(FolioFlags.SwapCache) && folio.SwapSlot == slot && system.Swap.ReferencesOf(slot) == 0)
        {
            system.Swap.RemoveFromCache(folio);
            system.Pool.Put(folio);
        }
    }

    private static bool TryRead(MmSystem system, SwapSlot slot, out Folio folio, out Errno errno)
    {
        folio = system.Pool.Allocate(system.Group);
        if (folio.IsNull)
        {
            errno = Errno.ENOMEM;
            return false;
        }

        RankedLock.Scope held = system.FolioLocks.Enter(folio);
        if (!system.Swap.TryAddToCache(folio, slot))
        {
            held.Dispose();
            system.Pool.Put(folio);
            folio = default;
            errno = system.Swap.ReferencesOf(slot) == 0 ? Errno.EAGAIN : Errno.EEXIST;
            return false;
        }

        _readsByThread++;
        bool isRead = system.Swap.TryRead(slot, system.Memory.SpanAt(folio.Number));
        if (isRead)
        {
            // Gone not long ago: it belongs to what is in use, and goes to the list that reclaim looks at last.
            LruLists lru = system.Pool.Lru;
            bool isInUse = system.Swap.RefaultDistance(slot) <= lru.PagesOf(LruKind.ActiveAnonymous) + (lru.PagesOf(LruKind.InactiveAnonymous) / 2);
            folio.Set(FolioFlags.UpToDate | FolioFlags.SwapBacked | (isInUse ? FolioFlags.Active : FolioFlags.None));
            system.Pool.Lru.Add(folio);
        }
        else
        {
            system.Swap.RemoveFromCache(folio);
            system.Pool.Put(folio);
        }

        held.Dispose();
        errno = isRead ? Errno.None : Errno.EIO;
        if (!isRead)
        {
            system.Pool.Put(folio);
            folio = default;
        }

        return isRead;
    }
}
