using System;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>PAGEMAP_SCAN (Linux: <c>do_pagemap_scan</c>).</summary>
internal static class PagemapScan
{
    private const PageCategories KnownCategories =
        PageCategories.WriteProtectAllowed | PageCategories.Written | PageCategories.File | PageCategories.Present | PageCategories.Swapped
        | PageCategories.ZeroPage | PageCategories.Huge | PageCategories.SoftDirty | PageCategories.Guard;

    public static PagemapScanResult Run(MmState mm, in PagemapScanRequest request, Span<PageRegion> regions)
    {
        Errno errno = Check(in request, out ulong end);
        if (errno != Errno.None)
        {
            return new(errno, 0, default);
        }

        // Protection is changed under the lock for reading, as UFFDIO_WRITEPROTECT does.
        using RankedSharedLock.ReadScope held = mm.Lock.EnterRead();
        var found = new ScanRegions(regions, request.MaxPages, takesAll: regions.IsEmpty);
        ulong at = request.Range.Start.Value;
        while (at < end)
        {
            if (mm.Vmas.FindFrom(at) is not { } vma || vma.Start >= end)
            {
                break;
            }

            at = Math.Max(at, vma.Start);
            ulong partEnd = Math.Min(end, vma.End);
            errno = ScanMapping(vma, ref at, partEnd, in request, ref found);
            if (errno != Errno.None)
            {
                return new(errno, 0, default);
            }

            if (found.IsFull)
            {
                return new(Errno.None, found.Count, new VirtualAddress(at));
            }
        }

        return new(Errno.None, found.Count, new VirtualAddress(found.BackedOutAt ?? end));
    }

    private static Errno Check(in PagemapScanRequest request, out ulong end)
    {
        const PagemapScanFlags KnownFlags = PagemapScanFlags.WriteProtectMatching | PagemapScanFlags.CheckWriteProtectAsync;
        ulong start = request.Range.Start.Value;
        end = PageCount.FromBytes(request.Range.End.Value).Bytes;
        PageCategories all = request.Inverted | request.Mask | request.AnyOf | request.Return;
        if ((request.Flags & ~KnownFlags) != 0 || (all & ~KnownCategories) != 0 || (start & (PageSize.Small - 1)) != 0)
        {
            return Errno.EINVAL;
        }

        return request.Range.End.Value < start || end > PageTable.UserEnd ? Errno.EFAULT : Errno.None;
    }

    /// <summary>Scans the part of a mapping; stops at the page that does not fit any more.</summary>
    private static Errno ScanMapping(Vma vma, ref ulong at, ulong end, in PagemapScanRequest request, ref ScanRegions found)
    {
        bool isAsync = vma.Has(VmaFlags.UserfaultfdWriteProtect) && vma.Userfaultfd!.IsWriteProtectAsync;
        bool writeProtects = (request.Flags & PagemapScanFlags.WriteProtectMatching) != 0;
        if (!isAsync && (request.Flags & PagemapScanFlags.CheckWriteProtectAsync) != 0)
        {
            return Errno.EPERM;
        }

        if (!isAsync && writeProtects)
        {
            at = end;
            return Errno.None;
        }

        PageCategories ofMapping = isAsync ? PageCategories.WriteProtectAllowed : PageCategories.None;
        PageCategories required = request.Mask & PageCategories.WriteProtectAllowed;
        if (((ofMapping ^ request.Inverted) & required) != required)
        {
            // What the mapping itself rules out is not looked at, even where there is no list (Linux: pagemap_scan_is_interesting_vma).
            at = end;
            return Errno.None;
        }

        if (vma.IsHugetlb)
        {
            return ScanHugetlb(vma, ofMapping, ref at, end, in request, ref found);
        }

        while (at < end)
        {
            EntryPlace place = vma.Mm.Table.FindEntry(at);

            // A huge entry at once: protecting it page by page would split it. It is split where the limits take a part only.
            ulong step = (at & (PageSize.Huge - 1)) == 0 && end - at >= PageSize.Huge && vma.Mm.Table.HasHugeEntry(at) ? PageSize.Huge : PageSize.Small;
            PageCategories categories = ofMapping | CategoriesAt(vma, place);

            // Without a list everything is protected, but only where there is a table to do it in (Linux: pagemap_scan_pmd_entry, pagemap_scan_pte_hole).
            if ((!found.TakesAll || place.IsNull) && !Matches(categories, in request))
            {
                at += step;
                continue;
            }

            ulong taken = found.AddUpTo(at, step, categories & request.Return);
            Errno errno = writeProtects && taken != 0
                ? ChangeProtection.Range(vma, at, at + taken, ProtectionChange.WriteProtect)
                : Errno.None;
            if (writeProtects && taken == PageSize.Small)
            {
                ProtectErrorMarker(vma, at);
            }

            at += taken;
            if (errno != Errno.None || taken < step)
            {
                return errno;
            }
        }

        return Errno.None;
    }

    /// <summary>
    /// Looks at one entry for each huge page (Linux: <c>pagemap_scan_hugetlb_entry</c>). Protecting takes whole huge pages: one that lies in the range, or
    /// fits into the limits, with a part only is passed over. The walk is then said to have ended there, and goes on.
    /// </summary>
    private static Errno ScanHugetlb(
        Vma vma, PageCategories ofMapping, ref ulong at, ulong end, in PagemapScanRequest request, ref ScanRegions found)
    {
        bool writeProtects = (request.Flags & PagemapScanFlags.WriteProtectMatching) != 0;
        while (at < end)
        {
            ulong pageEnd = Math.Min(end, (at & ~(PageSize.Huge - 1)) + PageSize.Huge);
            PageCategories categories = ofMapping | HugetlbView.CategoriesAt(vma, at);
            if (!found.TakesAll && !Matches(categories, in request))
            {
                at = pageEnd;
                continue;
            }

            PageCategories told = categories & request.Return;
            bool protects = writeProtects && (categories & PageCategories.Written) != 0;
            if (protects && found.RoomFor(at, pageEnd - at, told) is not 0 and < PageSize.Huge)
            {
                found.BackedOutAt = at;
                at = pageEnd;
                continue;
            }

            ulong taken = found.AddUpTo(at, pageEnd - at, told);
            if (taken < pageEnd - at)
            {
                at += taken;
                return Errno.None;
            }

            Errno errno = protects ? ChangeProtection.Range(vma, at, pageEnd, ProtectionChange.WriteProtect) : Errno.None;
            if (errno != Errno.None)
            {
                return errno;
            }

            at = pageEnd;
        }

        return Errno.None;
    }

    private static bool Matches(PageCategories categories, in PagemapScanRequest request)
    {
        PageCategories compared = categories ^ request.Inverted;
        return (compared & request.Mask) == request.Mask && (request.AnyOf == 0 || (compared & request.AnyOf) != 0);
    }

    /// <summary>Scanning protects poison and guard markers, which UFFDIO_WRITEPROTECT leaves alone (Linux: <c>make_uffd_wp_pte</c>).</summary>
    private static unsafe void ProtectErrorMarker(Vma vma, ulong address)
    {
        EntryPlace place = vma.Mm.Table.FindEntry(address);
        if (place.IsNull || (place.Read().Marker & (PteMarker.Poison | PteMarker.Guard)) == 0)
        {
            return;
        }

        using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(place.Table);
        Pte entry = place.ReadLocked();
        if ((entry.Marker & (PteMarker.Poison | PteMarker.Guard)) != 0)
        {
            Pte.Write(place.Slot, entry.WithWriteProtection());
        }
    }

    private static PageCategories CategoriesAt(Vma vma, EntryPlace place)
    {
        if (place.IsNull && !vma.Has(VmaFlags.UserfaultfdWriteProtect))
        {
            // No table, and nobody to tell: the one thing that is not written to.
            return PageCategories.None;
        }

        Pte entry = place.Read();
        PageCategories categories = entry.IsWriteProtected ? PageCategories.None : PageCategories.Written;
        if (entry.IsNone)
        {
            return categories;
        }

        if (!entry.IsPresent)
        {
            categories |= PageCategories.Swapped;
            return (entry.Marker & PteMarker.Guard) != 0 ? categories | PageCategories.Guard : categories;
        }

        categories |= place.IsHuge ? PageCategories.Present | PageCategories.Huge : PageCategories.Present;
        if (entry.IsSpecial)
        {
            return categories | PageCategories.ZeroPage;
        }

        return vma.Mm.System.Memory.FolioAt(entry.FrameNumber).IsAnonymous ? categories : categories | PageCategories.File;
    }
}
