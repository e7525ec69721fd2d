using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// Takes away the entries of an anonymous folio that was given up, as long as none is dirty (Linux: <c>try_to_unmap_one</c> for a folio that is not
/// swap-backed). The folio is locked.
/// </summary>
internal readonly unsafe struct DropClean : IRmapVisitor
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
        if (pte.IsDirty || folio.RefCount != folio.Record->MapCount + 1)
        {
            // Written to since, or somebody looks at it: it is ordinary memory again.
            folio.Clear(FolioFlags.LazilyFreed);
            Pte.Write(entry, pte);
            return false;
        }

        Pte.Write(entry, Pte.None);
        folio.Clear(FolioFlags.Exclusive);
        Rmap.Remove(folio.Record);
        mm.Counters.Add(CounterKind.Anonymous, -1);
        mm.System.Pool.Put(folio);
        return true;
    }
}
