using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Moving a huge entry as it is (Linux: <c>move_huge_pmd</c> of mremap, <c>move_pages_huge_pmd</c> of userfaultfd).</summary>
internal static unsafe class HugeMove
{
    /// <summary>Moves a huge entry for mremap. The mmap lock is held for writing.</summary>
    /// <returns>Whether it has moved: it does if all of it is to, to a place where no table is.</returns>
    public static bool TryRemap(TlbGather gather, Vma source, ulong from, Vma target, ulong to, ulong length)
    {
        MmState mm = source.Mm;
        if (length != PageSize.Huge)
        {
            return false;
        }

        PteTable targetMiddle = mm.Table.EnsureMiddle(to);
        EntryPlace place = mm.Table.FindEntry(from);
        if (targetMiddle.IsNull || !place.IsHuge)
        {
            return false;
        }

        using RankedLock.Scope fileLock = source.File is { } file ? file.Mappings.Enter() : default;
        using RankedLock.Scope anonymousLock = source.AnonVma is { } anonVma ? anonVma.Enter() : default;
        mm.System.TableLocks.EnterPair(place.Table, targetMiddle, out RankedLock.Scope first, out RankedLock.Scope second);
        ulong* slot = targetMiddle.MiddleEntryFor(to);

        // Reclaim may have split it since.
        bool isMoved = place.ReadLocked().IsPresent && TryReserve(slot);
        if (isMoved)
        {
            var entry = Pte.Take(place.Slot);
            gather.Touch();
            if (source.IsAnonymous)
            {
                mm.Table.Deposit(targetMiddle, mm.Table.Withdraw(place.Table));
            }

            if (!target.Has(VmaFlags.UserfaultfdWriteProtect))
            {
                entry = entry.WithoutWriteProtection();
            }

            // Before the locks go: nobody may reach the pages by the old way while they can be changed by the new one.
            gather.Flush();
            Pte.Write(slot, entry);
        }

        second.Dispose();
        first.Dispose();
        return isMoved;
    }

    /// <summary>Moves an anonymous huge page for a userfaultfd. The folio's lock and its rmap lock are held, and it is exclusive.</summary>
    /// <returns>Whether it has moved; otherwise something changed.</returns>
    public static bool TryMoveLocked(MmState mm, Folio folio, Vma target, ulong to, PteTable targetMiddle, EntryPlace place)
    {
        ulong* slot = targetMiddle.MiddleEntryFor(to);
        mm.System.TableLocks.EnterPair(place.Table, targetMiddle, out RankedLock.Scope first, out RankedLock.Scope second);
        Pte entry = place.ReadLocked();
        bool isMoved = entry.IsPresent && entry.FrameNumber == folio.Number && TryReserve(slot);
        if (isMoved)
        {
            entry = Pte.Take(place.Slot);

            // Nobody may use the page by its old address once it is at the new one.
            mm.Shootdown.Flush();
            mm.Table.Deposit(targetMiddle, mm.Table.Withdraw(place.Table));
            folio.Record->Owner = target.AnonVma!.OwnerHandle;
            folio.Record->Index = target.IndexOf(to);
            ulong flags = (target.PageRights & ~Pte.Writable) | (entry.Value & Pte.Dirty) | Pte.Writable | Pte.HugePage;
            Pte.Write(slot, Pte.ForFrame(folio.Number, flags));
        }

        second.Dispose();
        first.Dispose();
        return isMoved;
    }

    /// <summary>Moves the huge zero page for a userfaultfd.</summary>
    /// <returns>Whether it has moved; otherwise something changed.</returns>
    public static bool TryMoveZero(MmState mm, Vma target, ulong to, PteTable targetMiddle, EntryPlace place)
    {
        ulong* slot = targetMiddle.MiddleEntryFor(to);
        mm.System.TableLocks.EnterPair(place.Table, targetMiddle, out RankedLock.Scope first, out RankedLock.Scope second);
        Pte entry = place.ReadLocked();
        bool isMoved = entry.IsPresent && entry.IsSpecial && TryReserve(slot);
        if (isMoved)
        {
            entry = Pte.Take(place.Slot);
            mm.Table.Deposit(targetMiddle, mm.Table.Withdraw(place.Table));
            ulong flags = (target.PageRights & ~Pte.Writable) | Pte.Special | Pte.HugePage;
            Pte.Write(slot, Pte.ForFrame(entry.FrameNumber, flags));
        }

        second.Dispose();
        first.Dispose();
        return isMoved;
    }

    /// <summary>Keeps a second-level entry for a huge page: tables are put there without a lock, so the entry must not be empty.</summary>
    private static bool TryReserve(ulong* slot) => Interlocked.CompareExchange(ref *slot, Pte.Busy.Value, 0) == 0;
}
