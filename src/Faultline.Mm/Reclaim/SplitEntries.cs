using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Splits the huge entry that maps an anonymous folio, and with it the folio (Linux: <c>split_folio</c>). The folio is locked.</summary>
internal readonly struct SplitEntries : IRmapVisitor
{
    public bool Visit(Vma vma, ulong address, Folio folio)
    {
        MmState mm = vma.Mm;
        EntryPlace place = mm.Table.FindEntry(address);
        if (!place.IsHuge || vma.Has(VmaFlags.Locked) || !folio.IsAnonymous)
        {
            return true;
        }

        using RankedLock.Scope held = mm.System.TableLocks.Enter(place.Table);
        Pte entry = place.ReadLocked();
        if (!entry.IsPresent || entry.FrameNumber != folio.Number)
        {
            return true;
        }

        HugeEntry.SplitAnonymousLocked(mm, place, folio);
        return false;
    }
}
