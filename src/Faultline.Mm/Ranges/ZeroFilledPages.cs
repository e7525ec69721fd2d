using System;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// What Linux does with the pages of an anonymous huge page when it splits the folio, not only its entry: those that hold nothing but zeroes give way to the
/// zero page (<c>try_to_map_unused_to_zeropage</c>).
/// </summary>
internal static unsafe class ZeroFilledPages
{
    /// <summary>Does so for 2 MiB of private memory, just split. Under the mmap lock; no other lock is held.</summary>
    public static void GiveWay(Vma vma, ulong start)
    {
        MmState mm = vma.Mm;
        PteTable table = mm.Table.Find(start);
        if (table.IsNull || vma.Has(VmaFlags.Locked))
        {
            // Locked pages stay where they are.
            return;
        }

        var gather = TlbGather.Begin(mm, start, start + PageSize.Huge);
        using (RankedLock.Scope held = mm.System.TableLocks.Enter(table))
        {
            Span<ulong> taken = stackalloc ulong[PteTable.Length];
            taken.Clear();
            if (TryTake(mm, table, taken))
            {
                // Who has begun to write by one of these entries has written when this is over.
                mm.Shootdown.Flush(start, PageSize.Huge);
                PutBack(gather, vma, table, taken);
            }
        }

        gather.End();
    }

    private static bool TryTake(MmState mm, PteTable table, Span<ulong> taken)
    {
        bool isAny = false;
        for (int i = 0; i < PteTable.Length; i++)
        {
            var entry = Pte.Read(table.Entries + i);
            if (entry.IsPresent && !entry.IsSpecial && MayGiveWay(mm.System.Memory.FolioAt(entry.FrameNumber)) && IsZero(mm, entry))
            {
                taken[i] = Pte.Take(table.Entries + i).Value;
                isAny = true;
            }
        }

        return isAny;
    }

    private static void PutBack(TlbGather gather, Vma vma, PteTable table, Span<ulong> taken)
    {
        MmState mm = vma.Mm;

        // Under those who look at their bytes pages stay in their frames. Asked with the entries gone: who wants a span sees that, or we see him.
        bool mustStay = mm.HasHandedOutSpans;
        ulong rights = (vma.PageRights & ~Pte.Writable) | Pte.Special;
        for (int i = 0; i < PteTable.Length; i++)
        {
            var entry = new Pte(taken[i]);
            if (entry.IsNone)
            {
                continue;
            }

            if (mustStay || !IsZero(mm, entry))
            {
                Pte.Write(table.Entries + i, entry);
                continue;
            }

            var zero = Pte.ForFrame(mm.System.Pool.ZeroFolio.Number, rights);
            Pte.Write(table.Entries + i, entry.IsWriteProtected ? zero.WithWriteProtection() : zero);
            mm.Counters.Add(CounterKind.Anonymous, -1);
            Rmap.Remove(mm.System.Memory.FrameAt(entry.FrameNumber));
            gather.Add(mm.System.Memory.FolioAt(entry.FrameNumber).Number);
        }
    }

    private static bool MayGiveWay(Folio folio) => folio.IsAnonymous && !folio.Has(FolioFlags.Locked);

    private static bool IsZero(MmState mm, Pte entry) =>
        !new ReadOnlySpan<byte>(mm.System.Memory.BytesAt(entry.FrameNumber), (int)PageSize.Small).ContainsAnyExcept((byte)0);
}
