using System;
using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>PAGEMAP_SCAN: which pages are found, how they are reported, and what it protects.</summary>
[Section("8.6")]
public abstract class PagemapScanConformance(EngineHost host) : ConformanceSuite(host)
{
    private const PageCategories Everything = (PageCategories)0x1FF;
    private const PageCategories Untouched = PageCategories.WriteProtectAllowed | PageCategories.Written;

    [Theory]
    [InlineData(4UL)]
    [InlineData(1UL << 63)]
    public void Scan_UnknownFlag_EINVAL(ulong flags)
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Assert.Equal(Errno.EINVAL, Scan(Request(area) with { Flags = (PagemapScanFlags)flags }).Result.Errno);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Scan_UnknownCategory_EINVAL(int where)
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        const PageCategories Unknown = (PageCategories)(1UL << 40);
        PagemapScanRequest request = Request(area);
        request = where switch
        {
            0 => request with { Mask = Unknown },
            1 => request with { AnyOf = Unknown },
            2 => request with { Inverted = Unknown },
            _ => request with { Return = Unknown },
        };
        Assert.Equal(Errno.EINVAL, Scan(request).Result.Errno);
    }

    [Fact]
    public void Scan_UnalignedStart_EINVAL()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Assert.Equal(Errno.EINVAL, Scan(Request(area) with { Range = area.Range.Slice(8, PageSize.Small) }).Result.Errno);
    }

    [Fact]
    public void Scan_EndBeforeStart_EFAULT()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Assert.Equal(Errno.EFAULT, Scan(Request(area) with { Range = AddressRange.Between(area.At(2), area.At(0)) }).Result.Errno);
    }

    [Fact]
    public void Scan_UnalignedEnd_RoundedUp()
    {
        (MappedArea area, _) = Tracked(MemoryKind.Anonymous, pages: 4);
        (PagemapScanResult result, PageRegion[] regions) = Scan(Request(area) with { Range = area.Range.Slice(0, PageSize.Small + 8) });
        Assert.Equal([new PageRegion(area.Pages(0, 2), Untouched)], regions);
        Assert.Equal(area.At(2), result.WalkEnd);
    }

    [Fact]
    public void Scan_CheckAsyncOnAnOrdinaryMapping_EPERM()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Assert.Equal(Errno.EPERM, Scan(Request(area) with { Flags = PagemapScanFlags.CheckWriteProtectAsync }).Result.Errno);
        Bed.Watch(area, RegisterModes.WriteProtect);
        Assert.Equal(Errno.EPERM, Scan(Request(area) with { Flags = PagemapScanFlags.CheckWriteProtectAsync }).Result.Errno);
    }

    [Fact]
    public void Scan_CheckAsyncOnAnAsyncMapping_Succeeds()
    {
        (MappedArea area, _) = Tracked(MemoryKind.Anonymous, pages: 4);
        Assert.True(Scan(Request(area) with { Flags = PagemapScanFlags.CheckWriteProtectAsync }).Result.IsOk);
    }

    // Unpopulated memory counts as written.
    [Theory]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemShared)]
    [Regression(46)]
    public void Scan_VirginAsyncMapping_OneRecordAllowedAndWritten(MemoryKind kind)
    {
        (MappedArea area, _) = Tracked(kind, pages: 4);
        (PagemapScanResult result, PageRegion[] regions) = Scan(Request(area));
        Assert.Equal([new PageRegion(area.Range, Untouched)], regions);
        Assert.Equal((1, area.Range.End), (result.Count, result.WalkEnd));
    }

    [Fact]
    public void Scan_EachKindOfEntry_HasItsCategories()
    {
        (MappedArea area, FaultMonitor monitor) = Tracked(MemoryKind.Anonymous, pages: 6);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Pages(1, 1), WriteProtectModes.Protect));
        Expect.Ok(Bed.Space.Advise(area.Page(2), Advice.GuardInstall));
        Expect.Filled(monitor.Uffd.Poison(area.Page(3)), PageSize.Small);
        Bed.Store(area.At(4));
        Bed.Load(area.At(5));
        PageCategories[] found = [.. Scan(Request(area)).Regions.Select(region => region.Categories)];
        Assert.Equal(
            [
                Untouched,
                PageCategories.WriteProtectAllowed | PageCategories.Swapped,
                (PageCategories)0x112 | PageCategories.WriteProtectAllowed,
                (PageCategories)0x12 | PageCategories.WriteProtectAllowed,
                Untouched | PageCategories.Present,
                Untouched | PageCategories.Present | PageCategories.ZeroPage,
            ],
            found);
    }

    [Theory]
    [InlineData(MemoryKind.Anonymous, PageCategories.None)]
    [InlineData(MemoryKind.ShmemShared, PageCategories.File)]
    [InlineData(MemoryKind.ShmemPrivate, PageCategories.None)]
    public void Scan_StoredPage_PresentAndOfTheFileIfShared(MemoryKind kind, PageCategories file)
    {
        (MappedArea area, _) = Tracked(kind, pages: 2);
        Bed.Store(area.At(1));
        Assert.Equal(
            [new PageRegion(area.Page(0), Untouched), new PageRegion(area.Page(1), Untouched | PageCategories.Present | file)],
            Scan(Request(area)).Regions);
    }

    [Fact]
    public void Scan_SwappedPage_IsSwapped()
    {
        (MappedArea area, _) = Tracked(MemoryKind.Anonymous, pages: 1);
        Bed.Store(area.At(0));
        Bed.SwapOut(area.Range);
        Assert.Equal([new PageRegion(area.Range, Untouched | PageCategories.Swapped)], Scan(Request(area)).Regions);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Scan_HugetlbPage_IsHuge(MemoryKind kind)
    {
        (MappedArea area, _) = Tracked(kind, pages: 1);
        Bed.Store(area.At(0));
        PageRegion region = Assert.Single(Scan(Request(area)).Regions);
        Assert.Equal(area.Range, region.Range);
        Assert.Equal(Untouched | PageCategories.Present | PageCategories.Huge, region.Categories & ~PageCategories.File);
    }

    // Match: ((categories ^ inverted) & mask) == mask, and any of the others.
    [Theory]
    [InlineData(PageCategories.Present, PageCategories.None, PageCategories.None, new[] { 1, 3 })]
    [InlineData(PageCategories.Present, PageCategories.None, PageCategories.Present, new[] { 0, 2 })]
    [InlineData(PageCategories.Written, PageCategories.None, PageCategories.None, new[] { 0, 2, 3 })]
    [InlineData(PageCategories.Written, PageCategories.None, PageCategories.Written, new[] { 1 })]
    [InlineData(PageCategories.Present | PageCategories.Written, PageCategories.None, PageCategories.None, new[] { 3 })]
    [InlineData(PageCategories.None, PageCategories.ZeroPage | PageCategories.Present, PageCategories.None, new[] { 1, 3 })]
    [InlineData(PageCategories.None, PageCategories.None, PageCategories.None, new[] { 0, 1, 2, 3 })]
    [InlineData(PageCategories.Written, PageCategories.Present, PageCategories.Present, new[] { 0, 2 })]
    public void Scan_MaskAnyOfAndInverted_SelectPages(PageCategories mask, PageCategories anyOf, PageCategories inverted, int[] expected)
    {
        (MappedArea area, FaultMonitor monitor) = Tracked(MemoryKind.Anonymous, pages: 4);
        Bed.Store(area.At(1));
        Bed.Store(area.At(3));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(1), WriteProtectModes.Protect));
        PageRegion[] regions = Scan(Request(area) with { Mask = mask, AnyOf = anyOf, Inverted = inverted, Return = PageCategories.None }).Regions;
        Assert.Equal(expected, Enumerable.Range(0, 4).Where(page => regions.Any(region => region.Range.Contains(area.At(page)))));
        Assert.All(regions, region => Assert.Equal(PageCategories.None, region.Categories));
    }

    [Fact]
    public void Scan_ReturnMask_LimitsCategoriesAndJoinsEqualNeighbours()
    {
        (MappedArea area, _) = Tracked(MemoryKind.Anonymous, pages: 4);
        Bed.Store(area.At(1));
        Assert.Equal(3, Scan(Request(area)).Regions.Length);
        Assert.Equal([new PageRegion(area.Range, PageCategories.Written)], Scan(Request(area) with { Return = PageCategories.Written }).Regions);
    }

    [Fact]
    public void Scan_MaxPages_StopsEarlyAndTellsWhere()
    {
        (MappedArea area, _) = Tracked(MemoryKind.Anonymous, pages: 8);
        (PagemapScanResult result, PageRegion[] regions) = Scan(Request(area) with { MaxPages = 3 });
        Assert.Equal([new PageRegion(area.Pages(0, 3), Untouched)], regions);
        Assert.Equal(area.At(3), result.WalkEnd);
        (result, regions) = Scan(Request(area) with { MaxPages = 3, Range = AddressRange.Between(result.WalkEnd, area.Range.End) });
        Assert.Equal([new PageRegion(area.Pages(3, 3), Untouched)], regions);
        Assert.Equal(area.At(6), result.WalkEnd);
    }

    [Fact]
    public void Scan_FewRegions_StopsWhenTheyAreUsedUp()
    {
        (MappedArea area, _) = Tracked(MemoryKind.Anonymous, pages: 6);
        Bed.Store(area.At(1));
        Bed.Store(area.At(3));
        var regions = new PageRegion[2];
        PagemapScanResult result = Bed.Space.Inspector.Scan(Request(area) with { Mask = PageCategories.Present }, regions.AsSpan(0, 1));
        Assert.Equal((Errno.None, 1), (result.Errno, result.Count));
        Assert.Equal(area.Page(1), regions[0].Range);
        Assert.True(result.WalkEnd >= area.At(2) && result.WalkEnd <= area.At(3), $"The walk ended at {result.WalkEnd}.");
        var rest = AddressRange.Between(result.WalkEnd, area.Range.End);
        result = Bed.Space.Inspector.Scan(Request(area) with { Mask = PageCategories.Present, Range = rest }, regions);
        Assert.Equal((Errno.None, 1, area.Range.End), (result.Errno, result.Count, result.WalkEnd));
        Assert.Equal(area.Page(3), regions[0].Range);
    }

    [Fact]
    public void Scan_AllowedInTheMask_LeavesOutOrdinaryMappings()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Open(UserfaultfdFeatures.WriteProtectAsync);
        monitor.Register(area.Pages(2, 2), RegisterModes.WriteProtect);
        Bed.WriteBytes(area.At(0), Pattern.Bytes(area.Range.Length, 1));
        Assert.Equal([area.Pages(2, 2)], Scan(Request(area) with { Mask = PageCategories.WriteProtectAllowed }).Regions.Select(region => region.Range));
    }

    [Fact]
    [Regression(46)]
    public void ScanAndProtect_WrittenPages_ProtectsWhatItReports()
    {
        (MappedArea area, FaultMonitor monitor) = Tracked(MemoryKind.Anonymous, pages: 4);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Bed.Store(area.At(1));
        Bed.Store(area.At(2));
        PagemapScanRequest dirty = Request(area) with
        {
            Flags = PagemapScanFlags.WriteProtectMatching | PagemapScanFlags.CheckWriteProtectAsync,
            Mask = PageCategories.Written,
            Return = PageCategories.Written,
        };
        Assert.Equal([new PageRegion(area.Pages(1, 2), PageCategories.Written)], Scan(dirty).Regions);
        Assert.Empty(Scan(dirty).Regions);
        Bed.Store(area.At(2));
        Assert.Equal([new PageRegion(area.Page(2), PageCategories.Written)], Scan(dirty).Regions);
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void ScanAndProtect_LimitedPages_ProtectsOnlyThose()
    {
        (MappedArea area, _) = Tracked(MemoryKind.Anonymous, pages: 4);
        Bed.WriteBytes(area.At(0), Pattern.Bytes(area.Range.Length, 1));
        Scan(Request(area) with { Flags = PagemapScanFlags.WriteProtectMatching, Mask = PageCategories.Written, MaxPages = 2 });
        Assert.Equal([true, true, false, false], Enumerable.Range(0, 4).Select(page => Bed.IsProtected(area, page)));
    }

    // Without room for records the mask is not looked at.
    [Fact]
    public void ScanAndProtect_NoRoomForRegions_ProtectsEverythingInTheRange()
    {
        (MappedArea area, _) = Tracked(MemoryKind.Anonymous, pages: 4);
        Bed.Store(area.At(1));
        PagemapScanRequest request = Request(area) with { Flags = PagemapScanFlags.WriteProtectMatching, Mask = PageCategories.Present };
        PagemapScanResult result = Bed.Space.Inspector.Scan(request, []);
        Assert.Equal((Errno.None, 0), (result.Errno, result.Count));
        Assert.Equal([true, true, true, true], Enumerable.Range(0, 4).Select(page => Bed.IsProtected(area, page)));
    }

    // Poison is protected like a page; when the advice takes it away, the protection stays where pages of files keep theirs.
    [Theory]
    [InlineData(MemoryKind.Anonymous, false)]
    [InlineData(MemoryKind.ShmemShared, true)]
    [InlineData(MemoryKind.ShmemPrivate, true)]
    public void ScanAndProtect_PoisonThenDropped_ProtectionStaysOnFilesOnly(MemoryKind kind, bool stays)
    {
        (MappedArea area, FaultMonitor monitor) = Tracked(kind, pages: 2);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), PageSize.Small);
        Scan(Request(area) with { Flags = PagemapScanFlags.WriteProtectMatching, Mask = PageCategories.Written });
        Assert.True(Bed.IsProtected(area, 0));
        Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.DontNeed));
        Assert.Equal(stays, Bed.IsProtected(area, 0));
        Assert.False(Bed.Pagemap(area, 0).IsPresent);
    }

    [Fact]
    public void ScanAndProtect_OrdinaryMapping_SkippedSilently()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(area.At(0));
        Bed.Watch(area, RegisterModes.WriteProtect);
        PagemapScanRequest request = Request(area) with { Flags = PagemapScanFlags.WriteProtectMatching, Mask = PageCategories.Written };
        (PagemapScanResult result, PageRegion[] regions) = Scan(request);
        Assert.True(result.IsOk);
        Assert.Empty(regions);
        Assert.False(Bed.IsProtected(area, 0));
    }

    // 8.3 again: the marker stays where the page of a file is dropped, so it does not count as written; on anonymous memory it does.
    [Theory]
    [InlineData(MemoryKind.Anonymous, Advice.DontNeed, true)]
    [InlineData(MemoryKind.ShmemShared, Advice.DontNeed, false)]
    [InlineData(MemoryKind.ShmemShared, Advice.Remove, false)]
    public void Scan_DroppedPage_WrittenOnAnonymousOnly(MemoryKind kind, Advice advice, bool written)
    {
        (MappedArea area, FaultMonitor monitor) = Tracked(kind, pages: 1);
        Bed.Store(area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Expect.Ok(Bed.Space.Advise(area.Range, advice));
        Assert.Equal(written ? 1 : 0, Scan(Request(area) with { Mask = PageCategories.Written }).Regions.Length);
    }

    [Fact]
    public void Scan_AcrossMappingsAndHoles_ReportsMappedPagesOnly()
    {
        MappedArea area = Bed.MapAnonymous(pages: 5);
        Bed.WriteBytes(area.At(0), Pattern.Bytes(area.Range.Length, 1));
        Expect.Ok(Bed.Space.Unmap(area.Page(2)));
        (PagemapScanResult result, PageRegion[] regions) = Scan(Request(area));
        Assert.Equal([area.Pages(0, 2), area.Pages(3, 2)], regions.Select(region => region.Range));
        Assert.Equal(area.Range.End, result.WalkEnd);
    }

    // On hugetlb an absent page is not written. (Whether it is called huge depends on whether its page table exists; not looked at.)
    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    [Regression(46)]
    public void Scan_AbsentHugetlbPages_NotWritten(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Tracked(kind, pages: 3);
        Assert.Equal([new PageRegion(area.Range, PageCategories.WriteProtectAllowed)], Scan(Request(area)).Regions);
        Bed.Store(area.At(1));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(2), WriteProtectModes.Protect));
        PagemapScanRequest request = Request(area) with { Return = Untouched | PageCategories.Present | PageCategories.Swapped };
        Assert.Equal(
            [
                new PageRegion(area.Page(0), PageCategories.WriteProtectAllowed),
                new PageRegion(area.Page(1), Untouched | PageCategories.Present),
                new PageRegion(area.Page(2), PageCategories.WriteProtectAllowed | PageCategories.Swapped),
            ],
            Scan(request).Regions);
    }

    // Pagemap and scan tell the same story.
    [Theory]
    [MemberData(nameof(MemoryKinds.Small), MemberType = typeof(MemoryKinds))]
    public void Scan_WholePages_AgreesWithThePagemap(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Tracked(kind, pages: 3);
        Bed.Store(area.At(1));
        Bed.Store(area.At(2));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(2), WriteProtectModes.Protect));
        PageRegion[] regions = Scan(Request(area)).Regions;
        for (int page = 0; page < 3; page++)
        {
            PageCategories categories = Assert.Single(regions, region => region.Range.Contains(area.At(page))).Categories;
            PagemapEntry entry = Bed.Pagemap(area, page);
            Assert.Equal(entry.IsPresent, categories.HasFlag(PageCategories.Present));
            Assert.Equal(!entry.IsUserfaultfdWriteProtected, categories.HasFlag(PageCategories.Written));
        }
    }

    private static PagemapScanRequest Request(MappedArea area) => new() { Range = area.Range, Return = Everything & ~PageCategories.SoftDirty };

    private (PagemapScanResult Result, PageRegion[] Regions) Scan(PagemapScanRequest request)
    {
        Capability capability = Engine.Capabilities.PagemapScan;
        Testbed.SkipIf(capability.IsAvailable ? null : $"There is no PAGEMAP_SCAN: {capability.Reason}");
        var regions = new PageRegion[64];
        PagemapScanResult result = Bed.Space.Inspector.Scan(request, regions);
        return (result, regions[..(result.IsOk ? result.Count : 0)]);
    }

    private (MappedArea Area, FaultMonitor Monitor) Tracked(MemoryKind kind, int pages)
    {
        MappedArea area = Bed.Map(kind, pages);
        return (area, Bed.Watch(area, RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectAsync));
    }
}
