using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// Direct reclaim: when memory is short, whoever wants some first makes some, by swapping out what was not used lately (Linux: <c>try_to_free_pages</c>,
/// <c>shrink_inactive_list</c>).
/// </summary>
/// <remarks>
/// Runs inside an allocation, so the thread may hold the mmap lock and one folio's lock. Folios are only tried to be locked, and those that others
/// refer to are left alone.
/// </remarks>
internal static class Reclaimer
{
    /// <summary>Frees pages.</summary>
    /// <returns>Whether any was freed.</returns>
    public static bool TryFree(MmSystem system, int wanted)
    {
        if (!system.Swap.IsAvailable && !system.HasLazilyFreed)
        {
            return false;
        }

        LruLists lru = system.Pool.Lru;

        // Each page is looked at twice at most: once to take its accessed bits away, once to take it.
        long looks = 2 * (lru.PagesOf(LruKind.InactiveAnonymous) + lru.PagesOf(LruKind.ActiveAnonymous));
        int freed = 0;
        for (; looks > 0 && freed < wanted; looks--)
        {
            Folio folio = lru.TakeOldest(LruKind.InactiveAnonymous);
            if (folio.IsNull)
            {
                folio = lru.TakeOldest(LruKind.ActiveAnonymous);
            }

            if (folio.IsNull)
            {
                break;
            }

            if (!WasUsed(system, folio) && SwapOut.TryFolio(system, folio))
            {
                freed++;
            }
            else
            {
                lru.Add(folio);
            }

            system.Pool.Put(folio);
        }

        return freed > 0;
    }

    /// <summary>Whether an entry of the folio was used since the last look (Linux: <c>folio_referenced</c>). It then gets another round.</summary>
    private static bool WasUsed(MmSystem system, Folio folio)
    {
        using RankedLock.Scope held = system.FolioLocks.TryEnter(folio);
        if (!held.IsHeld)
        {
            return true;
        }

        var visitor = default(AgeEntries);
        RmapWalk.ForEach(system, folio, ref visitor);
        return folio.TestAndClear(FolioFlags.Referenced) || visitor.Used > 0;
    }
}
