using System;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Swapping out the pages of a range at once: MADV_PAGEOUT (Linux: <c>madvise_pageout</c>, <c>reclaim_pages</c>).</summary>
internal static unsafe class PageOut
{
    /// <summary>Swaps out what can be; what cannot stays.</summary>
    public static void Range(MmState mm, ulong start, ulong end)
    {
        ulong address = start;
        while (address < end)
        {
            if (IsLeftThere(mm, address, end))
            {
                address = (address & ~(PageSize.Huge - 1)) + PageSize.Huge;
                continue;
            }

            Folio folio = TakeFolio(mm, address, out uint frame);
            if (folio.IsNull)
            {
                address += PageSize.Small;
                continue;
            }

            uint pages = 1;
            if (folio.Order == 0)
            {
                _ = SwapOut.TryFolio(mm.System, folio);
            }
            else
            {
                pages = (uint)Math.Min((end - address) >> PageSize.SmallShift, folio.Number + (uint)folio.FrameCount - frame);
                OfHugeFolio(mm.System, folio, frame, pages);
            }

            mm.System.Pool.Put(folio);
            address += (ulong)pages << PageSize.SmallShift;
        }

        SwapIo.DropOrphans(mm.System);
    }

    /// <summary>Splits a huge folio of a file, which takes its entries away, and swaps out those pages of it that are meant.</summary>
    private static void OfHugeFolio(MmSystem system, Folio folio, uint first, uint pages)
    {
        using (RankedLock.Scope held = system.FolioLocks.Enter(folio))
        {
            if (folio.Order != 0 && !SwapOut.TrySplit(system, folio))
            {
                return;
            }
        }

        for (uint number = first; number < first + pages; number++)
        {
            Folio small = system.Memory.FolioAt(number);
            if (number == folio.Number)
            {
                // The caller's reference is this page's now; with another it would seem to be in use.
                _ = SwapOut.TryFolio(system, small);
            }
            else if (small.TryGet())
            {
                _ = SwapOut.TryFolio(system, small);
                system.Pool.Put(small);
            }
        }
    }

    /// <summary>
    /// Private pages go to swap one by one, those that hold only zeroes not at all: the folio is split, as Linux does it when swap is a file. The huge zero
    /// page is left there; so is what is locked, and what was given up (MADV_FREE) as a whole and is dirty: its entry is split, and it is ordinary memory
    /// from here on (<c>try_to_unmap_one</c>).
    /// </summary>
    private static bool IsLeftThere(MmState mm, ulong address, ulong end)
    {
        using RankedSharedLock.ReadScope mapLock = mm.Lock.EnterRead();
        if (!mm.Table.HasHugeEntry(address) || mm.Vmas.Find(address) is not { IsAnonymous: true, IsHugetlb: false } vma || vma.Has(VmaFlags.Locked))
        {
            return false;
        }

        ulong start = address & ~(PageSize.Huge - 1);
        bool isWhole = start == address && end - address >= PageSize.Huge;
        bool isGivenUp = false;
        bool isLeft = false;
        EntryPlace place = mm.Table.FindEntry(address);
        if (place.IsHuge)
        {
            using RankedLock.Scope held = mm.System.TableLocks.Enter(place.Table);
            Pte entry = place.ReadLocked();
            Folio folio = entry.IsPresent && !entry.IsSpecial ? mm.System.Memory.FolioAt(entry.FrameNumber) : default;
            if (folio.IsNull || folio.Has(FolioFlags.Locked))
            {
                if (!folio.IsNull)
                {
                    folio.Set(FolioFlags.LockForgotten);
                }

                return true;
            }

            isGivenUp = isWhole && folio.Has(FolioFlags.LazilyFreed);
            isLeft = isGivenUp && entry.IsDirty;
            if (isLeft)
            {
                folio.Clear(FolioFlags.LazilyFreed);
            }
        }

        HugeEntry.Split(vma, address);
        if (!isGivenUp)
        {
            ZeroFilledPages.GiveWay(vma, start);
        }

        return isLeft;
    }

    /// <summary>The page mapped at an address, with a reference; only what this address space has alone.</summary>
    private static Folio TakeFolio(MmState mm, ulong address, out uint frame)
    {
        frame = 0;
        using RankedSharedLock.ReadScope mapLock = mm.Lock.EnterRead();
        if (mm.Vmas.Find(address) is not { } vma || vma.Has(VmaFlags.Locked))
        {
            return default;
        }

        EntryPlace place = mm.Table.FindEntry(address);
        if (place.IsNull || vma.IsHugetlb)
        {
            return default;
        }

        Folio folio;
        using (RankedLock.Scope held = mm.System.TableLocks.Enter(place.Table))
        {
            Pte entry = place.ReadLocked();
            if (!entry.IsPresent || entry.IsSpecial)
            {
                return default;
            }

            frame = place.FrameOf(entry, address);
            folio = mm.System.Memory.FolioAt(entry.FrameNumber);
            if (folio.MapCountOf(frame) != 1 && (folio.Order == 0 || folio.IsAnonymous))
            {
                return default;
            }

            folio.Get();
        }

        if (folio.Order != 0 && !folio.IsAnonymous && !IsAlone(mm, vma.File!, folio))
        {
            mm.System.Pool.Put(folio);
            return default;
        }

        return folio;
    }

    /// <summary>
    /// Whether only this address space maps a huge folio of a file, however often: Linux asks for the address spaces of a large folio, not for its entries
    /// (<c>folio_maybe_mapped_shared</c>).
    /// </summary>
    private static bool IsAlone(MmState mm, IMappable file, Folio folio)
    {
        int all = folio.MapCount;
        int own = 0;
        ulong first = folio.Index;
        ulong last = first + (ulong)folio.FrameCount;
        for (Vma? vma = mm.Vmas.FindFrom(0); vma is not null && own < all; vma = mm.Vmas.Next(vma))
        {
            ulong begin = Math.Max(first, vma.PageOffset);
            ulong end = Math.Min(last, vma.PageOffset + (vma.Length >> PageSize.SmallShift));
            if (!ReferenceEquals(vma.File, file) || begin >= end)
            {
                continue;
            }

            own += EntriesOf(mm, folio, vma.AddressOf(begin), vma.AddressOf(end));
        }

        return own >= all;
    }

    /// <summary>The entries of a folio in a range, a huge one counted once.</summary>
    private static int EntriesOf(MmState mm, Folio folio, ulong start, ulong end)
    {
        int count = 0;
        ulong address = start;
        while (address < end)
        {
            ulong next = address + PageSize.Small;
            EntryPlace place = mm.Table.FindEntry(address);
            if (!place.IsNull)
            {
                using RankedLock.Scope held = mm.System.TableLocks.Enter(place.Table);
                Pte entry = place.ReadLocked();
                count += entry.IsPresent && !entry.IsSpecial && mm.System.Memory.FolioAt(entry.FrameNumber).Number == folio.Number ? 1 : 0;
                next = place.IsHuge ? (address & ~(PageSize.Huge - 1)) + PageSize.Huge : next;
            }

            address = next;
        }

        return count;
    }
}
