using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>The part of <see cref="Zap"/> for huge entries (Linux: <c>zap_huge_pmd</c>).</summary>
internal static unsafe class HugeZap
{
    /// <summary>Zaps what is in a range that lies in one huge entry's; a huge entry that stands for more than the range is split.</summary>
    /// <returns>Whether the range is done. Otherwise there is, or may be, a table in it now: look again.</returns>
    public static bool TryRange(TlbGather gather, Vma vma, ulong start, ulong end)
    {
        MmState mm = vma.Mm;
        EntryPlace place = mm.Table.FindEntry(start);
        if (place.IsNull)
        {
            return true;
        }

        if (!place.IsHuge)
        {
            return false;
        }

        if (end - start != PageSize.Huge)
        {
            HugeEntry.Split(vma, start);
            return false;
        }

        if (gather.IsFull)
        {
            gather.Flush();
        }

        using RankedLock.Scope held = mm.System.TableLocks.Enter(place.Table);
        Pte entry = place.ReadLocked();
        if (!entry.IsPresent)
        {
            return false;
        }

        if (entry.IsSpecial)
        {
            mm.Table.FreeSpare(mm.Table.Withdraw(place.Table));
            Pte.Take(place.Slot);
            mm.Shootdown.Flush();
            mm.System.HugeZero.Put();
            return true;
        }

        Folio folio = mm.System.Memory.FolioAt(entry.FrameNumber);
        if (folio.IsAnonymous)
        {
            // The table in deposit was never to be found: nobody has to be waited for.
            mm.Table.FreeSpare(mm.Table.Withdraw(place.Table));
            Pte.Take(place.Slot);
            mm.Counters.Add(CounterKind.Anonymous, -folio.FrameCount);
            Rmap.RemoveHuge(folio);
        }
        else
        {
            HugeEntry.TakeFileLocked(mm, place, folio);
        }

        gather.Add(folio.Number);
        return true;
    }
}
