using System.Diagnostics;
using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// Splitting huge entries, so that parts of what they map can be treated alone (Linux: <c>__split_huge_pmd</c>). Not for hugetlb, which is never
/// split.
/// </summary>
/// <remarks>
/// An anonymous huge folio is mapped by one huge entry and nothing else: folio and entry are split together. A huge entry for a file is just taken
/// away, for the pages can be faulted in again one by one. Neither can fail.
/// </remarks>
internal static unsafe class HugeEntry
{
    /// <summary>Makes sure that no huge entry stands for an address, if it stands for more than the caller means to change.</summary>
    /// <remarks>Under the mmap lock; without a folio's or a table's lock.</remarks>
    public static void Split(Vma vma, ulong address)
    {
        if (vma.IsHugetlb)
        {
            return;
        }

        while (vma.Mm.Table.HasHugeEntry(address))
        {
            TrySplit(vma, address);
        }
    }

    /// <summary>Splits what crosses a border inside a mapping that is about to become two (Linux: <c>vma_adjust_trans_huge</c>).</summary>
    public static void SplitAt(Vma vma, ulong border)
    {
        if ((border & (PageSize.Huge - 1)) != 0)
        {
            Split(vma, border);
        }
    }

    /// <summary>Splits the anonymous huge entry for a folio, and the folio. The folio's lock and the table's are held.</summary>
    public static void SplitAnonymousLocked(MmState mm, EntryPlace place, Folio folio)
    {
        Frame* head = folio.Record;
        int count = folio.FrameCount;
        Debug.Assert(folio.IsAnonymous && Volatile.Read(ref head->HugeMapCount) == 1, "An anonymous huge folio is mapped once.");
        for (int i = 0; i < count; i++)
        {
            Volatile.Write(ref head[i].MapCount, 1);
        }

        Volatile.Write(ref head->HugeMapCount, 0);
        FolioSplit.Split(mm.System.Pool, folio, references: 1, taken: 0);
        Exchange(mm, place, head->Number, step: 1);
    }

    /// <summary>Puts a table in the place of a huge entry, with entries for pages a step apart.</summary>
    private static void Exchange(MmState mm, EntryPlace place, uint first, uint step)
    {
        PteTable table = mm.Table.TableAt(mm.Table.Withdraw(place.Table));
        while (true)
        {
            // An access may set the accessed and the dirty bit of the huge entry as long as it is there.
            var entry = Pte.Read(place.Slot);
            for (uint i = 0; i < PteTable.Length; i++)
            {
                Pte.Write(table.Entries + i, entry.ForPiece(first + (i * step)));
            }

            if (Interlocked.CompareExchange(ref *place.Slot, Pte.ForTable(table.Number).Value, entry.Value) == entry.Value)
            {
                return;
            }
        }
    }

    private static void TrySplit(Vma vma, ulong address)
    {
        MmState mm = vma.Mm;
        MmSystem system = mm.System;
        EntryPlace place = mm.Table.FindEntry(address);
        if (!place.IsHuge)
        {
            return;
        }

        Folio folio;
        using (RankedLock.Scope held = system.TableLocks.Enter(place.Table))
        {
            Pte entry = place.ReadLocked();
            if (!entry.IsPresent)
            {
                // Split or taken by somebody else, or between two states: its lock was held for that.
                return;
            }

            folio = system.Memory.FolioAt(entry.FrameNumber);
            if (entry.IsSpecial)
            {
                // Zero pages of the small kind, all of them the same.
                Exchange(mm, place, system.Pool.ZeroFolio.Number, step: 0);
                folio = default;
            }
            else if (folio.IsAnonymous)
            {
                folio.Get();
            }
            else
            {
                TakeFileLocked(mm, place, folio);
            }
        }

        if (folio.IsNull)
        {
            mm.Shootdown.Flush();
            system.HugeZero.Put();
            return;
        }

        if (folio.IsAnonymous)
        {
            using RankedLock.Scope folioLock = system.FolioLocks.Enter(folio);
            using RankedLock.Scope held = system.TableLocks.Enter(place.Table);
            Pte entry = place.ReadLocked();
            if (entry.IsPresent && entry.FrameNumber == folio.Number)
            {
                SplitAnonymousLocked(mm, place, folio);
            }
        }
        else
        {
            mm.Shootdown.Flush();
        }

        // Ours; or the one of the entry that was taken away.
        system.Pool.Put(folio);
    }

    /// <summary>Takes the huge entry of a file away; the caller shoots down, and gives the entry's reference back.</summary>
    public static void TakeFileLocked(MmState mm, EntryPlace place, Folio folio)
    {
        var entry = Pte.Take(place.Slot);
        Rmap.KeepStateOf(entry, folio);
        mm.Counters.Add(MmCounters.KindOf(folio), -folio.FrameCount);
        Rmap.RemoveHuge(folio);
    }
}
