using System;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// MADV_DONTNEED, MADV_FREE and MADV_REMOVE: the advice that drops pages, and that a userfaultfd hears of before (Linux:
/// <c>madvise_dontneed_free</c>, <c>madvise_remove</c>).
/// </summary>
internal static unsafe class Discard
{
    public static Errno Run(MmState mm, ulong start, ulong end, Advice advice)
    {
        MappedParts parts = new(start, end);
        while (parts.HasMore)
        {
            UserfaultfdContext? told = null;
            using (RankedSharedLock.ReadScope held = mm.Lock.EnterRead())
            {
                if (parts.Next(mm) is not { } vma)
                {
                    return Errno.ENOMEM;
                }

                Errno errno = Check(vma, parts.Start, advice);
                if (errno != Errno.None)
                {
                    return errno;
                }

                if (vma.IsHugetlb && advice != Advice.Remove && (parts.End & (PageSize.Huge - 1)) != 0)
                {
                    // Whole huge pages only, and the range is rounded down to them: callers think in small pages.
                    parts.EndAt(HugeRange.StartOf(parts.End));
                    if (parts.End <= parts.Start)
                    {
                        return parts.Holes;
                    }
                }

                if (vma.Userfaultfd is UserfaultfdContext context && (context.Features & UserfaultfdFeatures.EventRemove) != 0)
                {
                    told = context;
                    context.BeginChange();
                }
                else if (advice != Advice.Remove)
                {
                    errno = Apply(vma, parts.Start, parts.End, advice);
                    if (errno != Errno.None)
                    {
                        return errno;
                    }
                }
            }

            Errno after = Finish(mm, told, ref parts, advice);
            if (after != Errno.None)
            {
                return after;
            }

            if (advice is Advice.DontNeed or Advice.DontNeedLocked)
            {
                RetractTables.EmptyIn(mm, parts.Start, parts.End);
            }
        }

        return parts.Holes;
    }

    private static Errno Check(Vma vma, ulong start, Advice advice)
    {
        if (vma.IsHugetlb && advice != Advice.Remove)
        {
            bool isWhole = advice is Advice.DontNeed or Advice.DontNeedLocked && (start & (PageSize.Huge - 1)) == 0;
            return isWhole ? Errno.None : Errno.EINVAL;
        }

        switch (advice)
        {
            case Advice.DontNeed:
                return vma.Has(VmaFlags.Locked) ? Errno.EINVAL : Errno.None;
            case Advice.Free:
                // What kind of memory it is, is asked after the event: Linux tells of an MADV_FREE that it then refuses.
                return vma.Has(VmaFlags.Locked) ? Errno.EINVAL : Errno.None;
            case Advice.Remove when vma.Has(VmaFlags.Locked) || vma.File is null:
                return Errno.EINVAL;
            case Advice.Remove:
                return vma.IsShared && vma.Has(VmaFlags.MayWrite) ? Errno.None : Errno.EACCES;
            default:
                return Errno.None;
        }
    }

    /// <summary>Tells the userfaultfd, without any lock; the mapping is then looked up again, for anything may have happened.</summary>
    private static Errno Finish(MmState mm, UserfaultfdContext? told, ref MappedParts part, Advice advice)
    {
        ulong start = part.Start;
        told?.Tell(new PendingEvent(told, UserfaultfdEvent.Remove, start, part.End - start));
        BackingFile? file;
        ulong first;
        using (RankedSharedLock.ReadScope held = mm.Lock.EnterRead())
        {
            if (told is null && advice != Advice.Remove)
            {
                return Errno.None;
            }

            if (mm.Vmas.Find(start) is not { } vma)
            {
                return Errno.ENOMEM;
            }

            Errno errno = Check(vma, start, advice);
            if (errno != Errno.None)
            {
                return errno;
            }

            part.End = Math.Min(part.End, vma.End);
            if (advice != Advice.Remove)
            {
                return Apply(vma, start, part.End, advice);
            }

            file = (BackingFile)vma.File!;
            first = vma.IndexOf(start) << PageSize.SmallShift;
            file.AddReference();
        }

        // The file's lock comes before the mmap lock. A mapping made before the seal may still write, but makes no holes.
        bool isSealed;
        using (RankedLock.Scope fileLock = file.Lock.Enter())
        {
            isSealed = (file.Seals & (FileSeals.Write | FileSeals.FutureWrite)) != 0;
            if (!isSealed)
            {
                file.PunchHole(first, first + (part.End - start));
            }
        }

        file.RemoveReference();
        return isSealed ? Errno.EPERM : Errno.None;
    }

    private static Errno Apply(Vma vma, ulong start, ulong end, Advice advice)
    {
        if (advice != Advice.Free)
        {
            Zap.Range(vma, start, end, ZapOptions.PrivateCopies);
            return Errno.None;
        }

        if (!vma.IsAnonymous)
        {
            return Errno.EINVAL;
        }

        vma.Mm.System.HasLazilyFreed = true;
        MarkFree(vma, start, end);
        return Errno.None;
    }

    /// <summary>The pages may go when memory is short, unless they are written to before: their dirty bits are taken away.</summary>
    private static void MarkFree(Vma vma, ulong start, ulong end)
    {
        var gather = TlbGather.Begin(vma.Mm);
        for (ulong address = vma.Mm.Table.SkipAbsent(start, end); address < end; address = vma.Mm.Table.SkipAbsent(address + PageSize.Small, end))
        {
            if (TryMarkHuge(vma, address, end, gather))
            {
                address |= PageSize.Huge - PageSize.Small;
                continue;
            }

            // The pages are given up one by one.
            HugeEntry.Split(vma, address);
            PteTable table = vma.Mm.Table.Find(address);
            if (table.IsNull)
            {
                continue;
            }

            using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table);
            ulong* entry = table.EntryFor(address);
            var pte = Pte.Read(entry);
            if (!pte.IsPresent || pte.IsSpecial)
            {
                DropAbsent(vma.Mm, entry, pte);
                continue;
            }

            Folio folio = vma.Mm.System.Memory.FolioAt(pte.FrameNumber);
            if (!folio.Has(FolioFlags.SwapCache | FolioFlags.Dirty) || (folio.Has(FolioFlags.Exclusive) && !folio.Has(FolioFlags.SwapCache)))
            {
                // Also what others share, unless the page itself is dirty: an entry of theirs that is dirty keeps it.
                folio.Clear(FolioFlags.Dirty);
                folio.Set(FolioFlags.LazilyFreed);
                Pte.Change(entry, set: 0, clear: Pte.Dirty | Pte.Accessed);
                gather.Touch();
            }
        }

        gather.End();
    }

    /// <summary>
    /// Gives up a huge page whole, if all of it is meant; the huge zero page stays as it is in any case (Linux: <c>madvise_free_huge_pmd</c>).
    /// </summary>
    private static bool TryMarkHuge(Vma vma, ulong address, ulong end, TlbGather gather)
    {
        EntryPlace place = vma.Mm.Table.FindEntry(address);
        if (!place.IsHuge)
        {
            return false;
        }

        using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(place.Table);
        Pte entry = place.ReadLocked();
        if (!entry.IsPresent)
        {
            return false;
        }

        if (entry.IsSpecial)
        {
            return true;
        }

        if ((address & (PageSize.Huge - 1)) != 0 || end - address < PageSize.Huge)
        {
            return false;
        }

        vma.Mm.System.Memory.FolioAt(entry.FrameNumber).Set(FolioFlags.LazilyFreed);
        Pte.Change(place.Slot, set: 0, clear: Pte.Dirty | Pte.Accessed);
        gather.Touch();
        return true;
    }

    /// <summary>What is in swap goes at once, and so does poison (Linux: <c>madvise_free_pte_range</c>). Under the table's lock.</summary>
    private static void DropAbsent(MmState mm, ulong* entry, Pte pte)
    {
        if (pte.IsSwapSlot)
        {
            Pte.Write(entry, Pte.None);
            mm.Counters.Add(CounterKind.Swap, -1);
            SwapIo.RemoveReference(mm.System, SwapSlot.Of(pte));
        }
        else if (pte.IsMarker && (pte.Marker & PteMarker.Poison) != 0)
        {
            Pte.Write(entry, Pte.None);
        }
    }
}
