using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Transparent huge pages of private memory: where they come from, and what splits them. Pages of a case hold their own number.</summary>
[Section("10")]
public abstract class HugePageConformance(EngineHost host) : ConformanceSuite(host)
{
    private const int SmallInHuge = (int)(PageSize.Huge / PageSize.Small);

    [Fact]
    public void Store_AdvisedArea_OneFaultAndAHugePage()
    {
        MappedArea area = HugePages.Advised(Bed);
        Assert.Equal(1, Bed.CountStoreFaults(area.At(7)).Minor);
        VmaInfo vma = Bed.Vma(area.Range);
        HugePages.SkipUnlessHuge(Bed, area);
        Assert.Equal((PageSize.Huge, PageSize.Huge, PageSize.Huge), (vma.AnonymousHuge, vma.Resident, vma.Anonymous));
        Assert.Equal(0, Bed.CountStoreFaults(area.At(511)).Minor);
        Assert.Equal(0UL, Bed.Load(area.At(300)));
        Assert.Equal(Bed.Pagemap(area, 0).FrameOrSwap + 511, Bed.Pagemap(area, 511).FrameOrSwap);
        Assert.True(Bed.Pagemap(area, 511).IsExclusive);
    }

    [Fact]
    public void Store_UnadvisedOrRefusedArea_SmallPages()
    {
        MappedArea plain = Bed.MapAnonymous(SmallInHuge);
        MappedArea refused = HugePages.Advised(Bed);
        Expect.Ok(Bed.Space.Advise(refused.Range, Advice.NoHugePage));
        Bed.Store(plain.At(0), 1);
        Bed.Store(refused.At(0), 1);
        Assert.Equal((PageSize.Small, PageSize.Small), (Bed.Vma(plain.Range).Resident, Bed.Vma(refused.Range).Resident));
    }

    [Fact]
    public void Store_NoWholeHugePageInTheMapping_SmallPages()
    {
        VirtualAddress place = Bed.NextPlace();
        AddressRange before = Bed.MapAt(place + PageSize.Small, MapRequest.PrivateAnonymous(PageSize.Huge));
        Expect.Ok(Bed.Space.Advise(before, Advice.HugePage));
        Bed.Store(before.Start, 1);
        Bed.Store(place + PageSize.Huge, 1);
        Assert.Equal((2 * PageSize.Small, 0UL), (Bed.Vma(before).Resident, Bed.Vma(before).AnonymousHuge));
    }

    [Fact]
    public void Store_PlaceWithASmallPage_StaysSmall()
    {
        MappedArea area = Bed.MapAnonymous(SmallInHuge);
        Bed.Store(area.At(3), 1);
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.HugePage));
        Bed.Store(area.At(4), 1);
        Assert.Equal((2 * PageSize.Small, 0UL), (Bed.Vma(area.Range).Resident, Bed.Vma(area.Range).AnonymousHuge));
    }

    [Fact]
    public void Unmap_Middle_SplitsAndTheRestKeepsItsContents()
    {
        MappedArea area = Numbered();
        Expect.Ok(Bed.Space.Unmap(area.Pages(100, 200)));
        Assert.All(Bed.Vmas(area.Range), vma => Assert.Equal(0UL, vma.AnonymousHuge));
        Assert.Equal((ulong)(SmallInHuge - 200) * PageSize.Small, Anonymous());
        Assert.Equal((99UL, 300UL, 511UL), (Bed.Load(area.At(99)), Bed.Load(area.At(300)), Bed.Load(area.At(511))));
    }

    [Fact]
    public void Unmap_Whole_Gone()
    {
        MappedArea area = Numbered();
        Expect.Ok(Bed.Space.Unmap(area.Range));
        Assert.Equal(0UL, Anonymous());
    }

    [Fact]
    public void DontNeed_Whole_NextStoreGetsAFreshHugePage()
    {
        MappedArea area = Numbered();
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.DontNeed));
        Assert.Equal(0UL, Anonymous());
        Bed.Store(area.At(9), 90);
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).AnonymousHuge);
        Assert.Equal((0UL, 90UL), (Bed.Load(area.At(8)), Bed.Load(area.At(9))));
    }

    [Fact]
    public void DontNeed_Part_SplitsAndReadsZeroThere()
    {
        MappedArea area = Numbered();
        Expect.Ok(Bed.Space.Advise(area.Pages(5, 2), Advice.DontNeed));
        Assert.Equal((0UL, (ulong)(SmallInHuge - 2) * PageSize.Small), (Bed.Vma(area.Range).AnonymousHuge, Anonymous()));
        Assert.Equal((4UL, 0UL, 0UL, 7UL), (Bed.Load(area.At(4)), Bed.Load(area.At(5)), Bed.Load(area.At(6)), Bed.Load(area.At(7))));
    }

    [Theory]
    [InlineData(Protections.Read)]
    [InlineData(Protections.None)]
    public void Protect_WholeAwayAndBack_StaysHugeAndNoFaultIsNeeded(Protections away)
    {
        MappedArea area = Numbered();
        Expect.Ok(Bed.Space.Protect(area.Range, away));
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).AnonymousHuge);
        Assert.Equal(AccessFault.Protection, Bed.StartStore(area.At(6)).Await().Fault);
        Expect.Ok(Bed.Space.Protect(area.Range, Protections.ReadWrite));
        Assert.Equal((6UL, 0), (Bed.Load(area.At(6)), (int)Bed.CountStoreFaults(area.At(7)).Minor));
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).AnonymousHuge);
    }

    [Fact]
    public void Protect_Part_SplitsAndOnlyThatPartRefuses()
    {
        MappedArea area = Numbered();
        Expect.Ok(Bed.Space.Protect(area.Pages(10, 3), Protections.Read));
        Assert.All(Bed.Vmas(area.Range), vma => Assert.Equal(0UL, vma.AnonymousHuge));
        Assert.Equal(AccessFault.Protection, Bed.StartStore(area.At(12)).Await().Fault);
        Assert.Equal((12UL, 13UL), (Bed.Load(area.At(12)), Bed.Load(area.At(13))));
        Assert.Equal(0, Bed.CountStoreFaults(area.At(13)).Minor);
    }

    [Fact]
    public void Remap_WholeToAnAlignedPlace_StaysHuge()
    {
        MappedArea area = Numbered();
        VirtualAddress to = Bed.NextPlace();
        Assert.Equal(to, Expect.Ok(Bed.Space.Remap(area.Range, PageSize.Huge, RemapOptions.MayMove | RemapOptions.Fixed, to)));
        Assert.Equal(PageSize.Huge, Bed.Vma(new(to, PageSize.Huge)).AnonymousHuge);
        Assert.Equal((1UL, 511UL), (Bed.Load(to + PageSize.Small), Bed.Load(to + (511 * PageSize.Small))));
        Assert.Equal(PageSize.Huge, Anonymous());
    }

    // The table of small entries moves with them, so what is touched next where it was gets a huge page.
    [Fact]
    public void Remap_SmallPagesOfAnAlignedRange_LeaveNoTableBehind()
    {
        Numbered();
        MappedArea area = Bed.MapAnonymous(SmallInHuge);
        Bed.Store(area.At(3), 33);
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.HugePage));
        VirtualAddress to = Bed.NextPlace();
        Assert.Equal(to, Expect.Ok(Bed.Space.Remap(area.Range, PageSize.Huge, RemapOptions.MayMove | RemapOptions.Fixed | RemapOptions.DontUnmap, to)));
        Bed.Store(area.At(5), 55);
        Assert.Equal((PageSize.Huge, 0UL), (Bed.Vma(area.Range).AnonymousHuge, Bed.Vma(new(to, PageSize.Huge)).AnonymousHuge));
        Assert.Equal((33UL, 0UL, 55UL), (Bed.Load(to + (3 * PageSize.Small)), Bed.Load(area.At(3)), Bed.Load(area.At(5))));
    }

    [Fact]
    public void Remap_ToAnUnalignedPlace_Splits()
    {
        MappedArea area = Numbered();
        VirtualAddress to = Bed.NextPlace() + PageSize.Small;
        Assert.Equal(to, Expect.Ok(Bed.Space.Remap(area.Range, PageSize.Huge, RemapOptions.MayMove | RemapOptions.Fixed, to)));
        Assert.Equal((0UL, PageSize.Huge), (Bed.Vma(new(to, PageSize.Huge)).AnonymousHuge, Anonymous()));
        Assert.Equal((1UL, 511UL), (Bed.Load(to + PageSize.Small), Bed.Load(to + (511 * PageSize.Small))));
    }

    [Fact]
    public void Remap_Part_SplitsAndBothPartsKeepTheirContents()
    {
        MappedArea area = Numbered();
        VirtualAddress to = Bed.NextPlace();
        Assert.Equal(to, Expect.Ok(Bed.Space.Remap(area.Pages(256, 256), PageSize.Huge / 2, RemapOptions.MayMove | RemapOptions.Fixed, to)));
        Assert.Equal((255UL, 256UL, 511UL), (Bed.Load(area.At(255)), Bed.Load(to), Bed.Load(to + (255 * PageSize.Small))));
        Assert.Equal(PageSize.Huge, Anonymous());
        Assert.Equal(0UL, Bed.Vma(area.Pages(0, 256)).AnonymousHuge);
    }

    [Fact]
    public void Fork_StoresOnBothSides_AreNotSeenByTheOther()
    {
        MappedArea area = Numbered();
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        Bed.Store(area.At(1), 100);
        using IMemoryAccess inChild = Expect.Ok(child.OpenAccess());
        PendingAccess.Store(inChild, area.At(2), 200).AwaitValue();
        Assert.Equal((100UL, 2UL), (Bed.Load(area.At(1)), Bed.Load(area.At(2))));
        Assert.Equal(1UL, PendingAccess.Load(inChild, area.At(1)).AwaitValue());
        Assert.Equal(200UL, PendingAccess.Load(inChild, area.At(2)).AwaitValue());
        Assert.Equal(511UL, PendingAccess.Load(inChild, area.At(511)).AwaitValue());
        Assert.Equal((PageSize.Huge, PageSize.Huge), (Anonymous(), Expect.Ok(child.Inspector.GetCounters()).Anonymous));
    }

    [Fact]
    public void PageOut_Whole_EveryPageComesBack()
    {
        MappedArea area = Numbered();
        Bed.SwapOut(area.Range);
        Assert.Equal((0UL, PageSize.Huge), (Anonymous(), Bed.Vma(area.Range).Swap));
        Assert.All(Enumerable.Range(0, 8), i => Assert.Equal((ulong)i * 70, Bed.Load(area.At(i * 70))));
        Assert.Equal(0UL, Bed.Vma(area.Range).AnonymousHuge);
    }

    [Fact]
    public void Lock_AdvisedArea_PopulatesAHugePage()
    {
        MappedArea area = HugePages.Advised(Bed);
        Expect.Ok(Bed.Space.Lock(area.Range));
        HugePages.SkipUnlessHuge(Bed, area);
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).AnonymousHuge);
        Expect.Ok(Bed.Space.Unlock(area.Pages(0, 1)));
        Assert.Equal(0UL, Bed.Vma(area.Pages(1, SmallInHuge - 1)).AnonymousHuge);
        Assert.Equal(PageSize.Huge, Anonymous());
    }

    [Fact]
    public void PopulateWrite_AdvisedArea_HugePages()
    {
        MappedArea area = HugePages.Advised(Bed, hugePages: 2);
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.PopulateWrite));
        HugePages.SkipUnlessHuge(Bed, area);
        Assert.Equal(2 * PageSize.Huge, Bed.Vma(area.Range).AnonymousHuge);
    }

    [Fact]
    public void GuardInstall_Part_SplitsAndTheRestKeepsItsContents()
    {
        MappedArea area = Numbered();
        Expect.Ok(Bed.Space.Advise(area.Pages(8, 1), Advice.GuardInstall));
        Assert.Equal(AccessFault.NotMapped, Bed.StartLoad(area.At(8)).Await().Fault);
        Assert.Equal((7UL, 9UL), (Bed.Load(area.At(7)), Bed.Load(area.At(9))));
        Assert.Equal((ulong)(SmallInHuge - 1) * PageSize.Small, Anonymous());
    }

    [Fact]
    [Section("8.6")]
    public void Scan_HugePage_OneRecordThatIsHuge()
    {
        MappedArea area = Numbered();
        PageRegion region = Assert.Single(Scan(area));
        Assert.Equal(area.Range, region.Range);
        Assert.Equal(PageCategories.Present | PageCategories.Huge, region.Categories);
        Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.DontNeed));
        region = Assert.Single(Scan(area));
        Assert.Equal((area.Pages(1, SmallInHuge - 1), PageCategories.Present), (region.Range, region.Categories));
    }

    [Fact]
    public void Load_AdvisedArea_TheHugeZeroPageUncounted()
    {
        MappedArea area = ZeroPage();
        PageRegion region = Assert.Single(Scan(area));
        Assert.Equal((area.Range, PageCategories.Present | PageCategories.Huge | PageCategories.ZeroPage), (region.Range, region.Categories));
        Assert.Equal((0UL, 0), (Anonymous(), (int)Bed.CountLoadFaults(area.At(400)).Minor));
    }

    [Fact]
    public void Store_HugeZeroPage_OneFaultAndAHugePage()
    {
        MappedArea area = ZeroPage();
        Assert.Equal(1, Bed.CountStoreFaults(area.At(7)).Minor);
        Assert.Equal((PageSize.Huge, 0UL, 1UL), (Bed.Vma(area.Range).AnonymousHuge, Bed.Load(area.At(6)), Bed.Load(area.At(7))));
    }

    [Fact]
    public void DontNeed_PartOfTheHugeZeroPage_SplitsIntoSmallZeroPages()
    {
        MappedArea area = ZeroPage();
        Expect.Ok(Bed.Space.Advise(area.Page(3), Advice.DontNeed));
        Assert.Equal((true, false, true), (Bed.Pagemap(area, 2).IsPresent, Bed.Pagemap(area, 3).IsPresent, Bed.Pagemap(area, 4).IsPresent));
        Bed.Store(area.At(4), 40);
        Assert.Equal((PageSize.Small, 0UL), (Anonymous(), Bed.Load(area.At(5))));
    }

    [Fact]
    public void Fork_HugeZeroPage_BothReadZeroAndWriteTheirOwn()
    {
        MappedArea area = ZeroPage();
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        using IMemoryAccess inChild = Expect.Ok(child.OpenAccess());
        Bed.Store(area.At(4), 40);
        Assert.Equal(0UL, PendingAccess.Load(inChild, area.At(4)).AwaitValue());
        PendingAccess.Store(inChild, area.At(5), 50).AwaitValue();
        Assert.Equal((40UL, 0UL), (Bed.Load(area.At(4)), Bed.Load(area.At(5))));
    }

    [Fact]
    public void Collapse_HugeZeroPage_CountsAsHugeAlready()
    {
        MappedArea area = ZeroPage();
        Bed.Store(area.At(1), 1);
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.DontNeed));
        Assert.Equal(0UL, Bed.Load(area.At(0)));
        Expect.Ok(HugePages.Collapse(Bed, area.Range));
        Assert.Equal(0UL, Anonymous());
    }

    /// <summary>The huge zero page, mapped by a load; or the case is skipped.</summary>
    private MappedArea ZeroPage()
    {
        MappedArea area = HugePages.Advised(Bed);
        Assert.Equal(0UL, Bed.Load(area.At(0)));
        Testbed.SkipIf(Bed.Pagemap(area, 511).IsPresent
            ? null
            : "The engine mapped no huge zero page (see /sys/kernel/mm/transparent_hugepage/use_zero_page).");
        return area;
    }

    private PageRegion[] Scan(MappedArea area)
    {
        const PageCategories Wanted = PageCategories.Present | PageCategories.Huge | PageCategories.ZeroPage;
        var regions = new PageRegion[8];
        var request = new PagemapScanRequest { Range = area.Range, AnyOf = Wanted, Return = Wanted };
        PagemapScanResult result = Bed.Space.Inspector.Scan(in request, regions);
        Assert.Equal(Errno.None, result.Errno);
        return regions[..result.Count];
    }

    private ulong Anonymous() => Expect.Ok(Bed.Space.Inspector.GetCounters()).Anonymous;

    private MappedArea Numbered() => HugePages.Numbered(Bed);
}
