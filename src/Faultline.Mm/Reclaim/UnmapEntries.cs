using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// Takes away every entry for a small folio, and no other (Linux: <c>try_to_unmap_one</c>): zero pages at its places in private mappings stay, and so
/// does the folio where a mapping is locked. The folio is locked.
/// </summary>
internal readonly unsafe struct UnmapEntries<TStep>(TStep step) : IRmapVisitor
    where TStep : struct, IUnmapStep
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

        // Taken, and out of every translation: nobody makes it dirty from here on.
        pte = Pte.Take(entry);
        mm.Shootdown.Flush(address, PageSize.Small);
        if (!step.Replace(vma, entry, pte, folio))
        {
            return false;
        }

        Rmap.Remove(folio.Record);
        mm.System.Pool.Put(folio);
        return true;
    }
}
