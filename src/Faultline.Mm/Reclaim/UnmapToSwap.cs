namespace Faultline.Mm;

/// <summary>Entries of an anonymous folio that is in the swap cache: each becomes a swap entry.</summary>
internal readonly unsafe struct UnmapToSwap(SwapSlot slot) : IUnmapStep
{
    public bool Replace(Vma vma, ulong* entry, Pte taken, Folio folio)
    {
        if (taken.IsDirty)
        {
            folio.Set(FolioFlags.Dirty);
        }

        ulong flags = taken.IsWriteProtected ? Pte.SwapWriteProtected : 0;
        if (folio.TestAndClear(FolioFlags.Exclusive))
        {
            flags |= Pte.SwapExclusive;
        }

        MmState mm = vma.Mm;
        mm.System.Swap.AddReference(slot);
        Pte.Write(entry, slot.ToPte(flags));
        mm.Counters.Add(CounterKind.Anonymous, -1);
        mm.Counters.Add(CounterKind.Swap, 1);
        return true;
    }
}
