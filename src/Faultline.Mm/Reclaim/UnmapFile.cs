namespace Faultline.Mm;

/// <summary>Entries of a file's folio: nothing stays but a marker of their protection. The page cache has the page.</summary>
internal readonly unsafe struct UnmapFile : IUnmapStep
{
    public bool Replace(Vma vma, ulong* entry, Pte taken, Folio folio)
    {
        Zap.LeaveMarker(vma, entry, taken, ZapOptions.None);
        Rmap.KeepStateOf(taken, folio);
        vma.Mm.Counters.Add(MmCounters.KindOf(folio), -1);
        return true;
    }
}
