namespace Faultline.Mm;

/// <summary>Entries of an anonymous folio that was given up (MADV_FREE): they go, as long as none is dirty.</summary>
internal readonly unsafe struct DropClean : IUnmapStep
{
    public bool Replace(Vma vma, ulong* entry, Pte taken, Folio folio)
    {
        if (taken.IsDirty || folio.RefCount != folio.Record->MapCount + 1)
        {
            // Written to since, or somebody looks at it: it is ordinary memory again.
            folio.Clear(FolioFlags.LazilyFreed);
            Pte.Write(entry, taken);
            return false;
        }

        Pte.Write(entry, Pte.None);
        folio.Clear(FolioFlags.Exclusive);
        vma.Mm.Counters.Add(CounterKind.Anonymous, -1);
        return true;
    }
}
