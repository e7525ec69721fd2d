using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Turns every entry of an anonymous folio into a swap entry (Linux: <c>try_to_unmap_one</c>). The folio is locked and in the swap cache.</summary>
internal readonly unsafe struct UnmapToSwap(SwapSlot slot) : IRmapVisitor
{
    public bool Visit(Vma vma, ulong address, Folio folio)
    {
        MmState mm = vma.Mm;
        PteTable table = mm.Table.Find(address);
        if (table.IsNull)
        {
            return true;
        }

        using RankedLock.Scope held = mm.System.TableLocks.Enter(table);
        ulong* entry = table.EntryFor(address);
        var pte = Pte.Read(entry);
        if (!pte.IsPresent || pte.IsSpecial || pte.FrameNumber != folio.Number)
        {
            return true;
        }

        if (vma.Has(VmaFlags.Locked))
        {
            return false;
        }

        pte = Pte.Take(entry);
        mm.Shootdown.Flush(address, PageSize.Small);
        if (pte.IsDirty)
        {
            folio.Set(FolioFlags.Dirty);
        }

        ulong flags = pte.IsWriteProtected ? Pte.SwapWriteProtected : 0;
        if (folio.TestAndClear(FolioFlags.Exclusive))
        {
            flags |= Pte.SwapExclusive;
        }

        mm.System.Swap.AddReference(slot);
        Pte.Write(entry, slot.ToPte(flags));
        Rmap.Remove(folio.Record);
        mm.Counters.Add(CounterKind.Anonymous, -1);
        mm.Counters.Add(CounterKind.Swap, 1);
        mm.System.Pool.Put(folio);
        return true;
    }
}
