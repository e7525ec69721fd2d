using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>The part of UFFDIO_MOVE for huge entries (Linux: the second-level steps of <c>move_pages</c>).</summary>
internal static unsafe class UserfaultfdMoveHuge
{
    /// <summary>Moves a huge page whole where both sides are aligned and the target has not even a table; else splits it.</summary>
    /// <param name="target">The target's mapping, prepared for anonymous pages.</param>
    /// <param name="targetAt">Where to.</param>
    /// <param name="source">The source's mapping.</param>
    /// <param name="sourceAt">Where from.</param>
    /// <param name="length">What there is to move from here on.</param>
    /// <param name="moved">The bytes moved.</param>
    /// <returns>EAGAIN: the huge page was split, or something changed: try again.</returns>
    public static Errno Run(Vma target, ulong targetAt, Vma source, ulong sourceAt, ulong length, out ulong moved)
    {
        const ulong Within = PageSize.Huge - 1;
        MmState mm = target.Mm;
        moved = PageSize.Huge;
        if (mm.Table.HasHugeEntry(targetAt))
        {
            return Errno.EEXIST;
        }

        PteTable targetMiddle = mm.Table.EnsureMiddle(targetAt);
        if (targetMiddle.IsNull)
        {
            return Errno.ENOMEM;
        }

        bool fits = (targetAt & Within) == 0 && (sourceAt & Within) == 0 && length >= PageSize.Huge;
        if (!fits || !Pte.Read(targetMiddle.MiddleEntryFor(targetAt)).IsNone)
        {
            HugeEntry.Split(source, sourceAt);
            return Errno.EAGAIN;
        }

        EntryPlace place = mm.Table.FindEntry(sourceAt);
        return place.IsHuge ? MoveWhole(mm, target, targetAt, targetMiddle, place) : Errno.EAGAIN;
    }

    private static Errno MoveWhole(MmState mm, Vma target, ulong targetAt, PteTable targetMiddle, EntryPlace place)
    {
        MmSystem system = mm.System;
        Folio folio;
        bool isZero;
        using (RankedLock.Scope held = system.TableLocks.Enter(place.Table))
        {
            Pte entry = place.ReadLocked();
            if (!entry.IsPresent)
            {
                return Errno.EAGAIN;
            }

            folio = system.Memory.FolioAt(entry.FrameNumber);
            isZero = entry.IsSpecial;
            if (!isZero)
            {
                folio.Get();
            }
        }

        // By the entry as it was: without a reference the folio may be anybody's by now.
        if (isZero)
        {
            return HugeMove.TryMoveZero(mm, target, targetAt, targetMiddle, place) ? Errno.None : Errno.EAGAIN;
        }

        bool isMoved;
        using (RankedLock.Scope folioLock = system.FolioLocks.Enter(folio))
        {
            // Rmap must not look for the page between its two places.
            AnonVma? filed = system.Owners.Find<AnonVma>(folio.Record->Owner);
            using RankedLock.Scope rmapLock = filed is null ? default : filed.Enter();
            isMoved = HugeMove.TryMoveLocked(mm, folio, target, targetAt, targetMiddle, place);
        }

        system.Pool.Put(folio);
        return isMoved ? Errno.None : Errno.EAGAIN;
    }
}
