using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Takes the accessed bits of a folio's entries away, and counts them (Linux: <c>folio_referenced_one</c>).</summary>
internal unsafe struct AgeEntries : IRmapVisitor
{
    /// <summary>Entries that were accessed.</summary>
    public int Used { get; private set; }

    public bool Visit(Vma vma, ulong address, Folio folio)
    {
        EntryPlace place = vma.Mm.Table.FindEntry(address);
        if (place.IsNull)
        {
            return true;
        }

        using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(place.Table);
        Pte pte = place.ReadLocked();
        if (pte.IsPresent && pte.FrameNumber == folio.Number && pte.IsAccessed)
        {
            // No shoot-down: a translation that an accessor keeps only makes the page look older than it is.
            Pte.Change(place.Slot, set: 0, clear: Pte.Accessed);
            Used++;
        }

        return true;
    }
}
