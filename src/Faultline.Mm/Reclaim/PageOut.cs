using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Swapping out the pages of a range at once: MADV_PAGEOUT (Linux: <c>madvise_pageout</c>, <c>reclaim_pages</c>).</summary>
internal static unsafe class PageOut
{
    /// <summary>Swaps out what can be; what cannot stays.</summary>
    public static void Range(MmState mm, ulong start, ulong end)
    {
        for (ulong address = start; address < end; address += PageSize.Small)
        {
            SplitHuge(mm, address);
            Folio folio = TakeFolio(mm, address);
            if (!folio.IsNull)
            {
                _ = SwapOut.TryFolio(mm.System, folio);
                mm.System.Pool.Put(folio);
            }
        }

        SwapIo.DropOrphans(mm.System);
    }

    /// <summary>Pages go to swap one by one.</summary>
    private static void SplitHuge(MmState mm, ulong address)
    {
        using RankedSharedLock.ReadScope mapLock = mm.Lock.EnterRead();
        if (mm.Table.HasHugeEntry(address) && mm.Vmas.Find(address) is { IsAnonymous: true } vma && !vma.Has(VmaFlags.Locked))
        {
            HugeEntry.Split(vma, address);
        }
    }

    /// <summary>The page mapped at an address, with a reference; only what this address space has alone.</summary>
    private static Folio TakeFolio(MmState mm, ulong address)
    {
        using RankedSharedLock.ReadScope mapLock = mm.Lock.EnterRead();
        if (mm.Vmas.Find(address) is not { } vma || vma.Has(VmaFlags.Locked))
        {
            return default;
        }

        PteTable table = mm.Table.Find(address);
        if (table.IsNull)
        {
            return default;
        }

        using RankedLock.Scope held = mm.System.TableLocks.Enter(table);
        var entry = Pte.Read(table.EntryFor(address));
        if (!entry.IsPresent || entry.IsSpecial)
        {
            return default;
        }

        Folio folio = mm.System.Memory.FolioAt(entry.FrameNumber);
        if (folio.MapCount != 1)
        {
            return default;
        }

        folio.Get();
        return folio;
    }
}
