using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>MADV_COLLAPSE: what becomes huge, what is refused and how, what happens to the contents and to others who map them.</summary>
[Section("10")]
public abstract class CollapseConformance(EngineHost host) : ConformanceSuite(host)
{
    private const int SmallInHuge = HugePages.SmallPages;

    [Fact]
    public void Collapse_SmallPages_BecomeHugeAndKeepTheirContents()
    {
        MappedArea area = Small();
        Collapse(area);
        Assert.Equal((PageSize.Huge, PageSize.Huge), (Bed.Vma(area.Range).AnonymousHuge, Anonymous()));
        Assert.All(Enumerable.Range(0, 8), i => Assert.Equal((ulong)i * 70, Bed.Load(area.At(i * 70))));
        Assert.Equal(0, Bed.CountStoreFaults(area.At(77)).Minor);
    }

    [Fact]
    public void Collapse_AlreadyHuge_SucceedsAgain()
    {
        MappedArea area = Small();
        Collapse(area);
        ulong frame = Bed.Pagemap(area, 0).FrameOrSwap;
        Collapse(area);
        Assert.Equal(frame, Bed.Pagemap(area, 0).FrameOrSwap);
    }

    [Fact]
    public void Collapse_FewPagesPresent_TheRestReadsZeroAndIsResident()
    {
        MappedArea area = Bed.MapAnonymous(SmallInHuge);
        Bed.Store(area.At(3), 33);
        Assert.Equal(0UL, Bed.Load(area.At(4)));
        Collapse(area);
        Assert.Equal(PageSize.Huge, Anonymous());
        Assert.Equal((33UL, 0UL, 0UL), (Bed.Load(area.At(3)), Bed.Load(area.At(4)), Bed.Load(area.At(500))));
    }

    [Fact]
    public void Collapse_NeverTouched_EINVAL()
    {
        MappedArea area = Bed.MapAnonymous(SmallInHuge);
        Expect.Fails(HugePages.Collapse(Bed, area.Range), Errno.EINVAL);
    }

    // It stops at the first that was never touched, in a place that others near it have a table for.
    [Theory]
    [InlineData(0, PageSize.Huge)]
    [InlineData(1, 0)]
    public void Collapse_OneOfTwoNeverTouched_EINVALAndWhatComesBeforeIsHuge(int touched, ulong huge)
    {
        MappedArea area = Bed.MapAnonymous(2 * SmallInHuge);
        Bed.Store(area.At(touched * SmallInHuge), 1);
        Expect.Fails(HugePages.Collapse(Bed, area.Range), Errno.EINVAL);
        Assert.Equal(huge, Bed.Vma(area.Range).AnonymousHuge);
    }

    // What has not even a table of the second level is passed over.
    [Fact]
    public void Collapse_UntouchedGigabyteBefore_PassedOverAndEINVAL()
    {
        const ulong Gigabyte = 1UL << 30;
        VirtualAddress place = new(0x40_0000_0000 + Gigabyte - PageSize.Huge);
        AddressRange range = Bed.MapAt(place, MapRequest.PrivateAnonymous(2 * PageSize.Huge));
        Bed.Store(place + PageSize.Huge, 1);
        Expect.Fails(HugePages.Collapse(Bed, range), Errno.EINVAL);
        Assert.Equal(PageSize.Huge, Bed.Vma(range).AnonymousHuge);
    }

    [Fact]
    public void Collapse_NoWholeHugePageInTheRange_SucceedsWithoutEffect()
    {
        MappedArea area = Small();
        Expect.Ok(HugePages.Collapse(Bed, area.Pages(1, SmallInHuge - 1)));
        Assert.Equal(0UL, Bed.Vma(area.Range).AnonymousHuge);
    }

    [Fact]
    public void Collapse_MappingTooSmallOrRefused_EINVAL()
    {
        MappedArea small = Bed.MapAnonymous(SmallInHuge - 1);
        Bed.Store(small.At(0), 1);
        Expect.Fails(HugePages.Collapse(Bed, small.Range), Errno.EINVAL);
        MappedArea refused = Small();
        Expect.Ok(Bed.Space.Advise(refused.Range, Advice.NoHugePage));
        Expect.Fails(HugePages.Collapse(Bed, refused.Range), Errno.EINVAL);
    }

    [Fact]
    public void Collapse_RangeWithAHole_ENOMEMAndTheMappedPartIsHuge()
    {
        MappedArea area = Small();
        Expect.Fails(Bed.Space.Advise(new(area.At(0), 2 * PageSize.Huge), Advice.Collapse), Errno.ENOMEM);
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).AnonymousHuge);
    }

    [Fact]
    public void Collapse_SomePagesSwappedOut_TheyComeBack()
    {
        MappedArea area = Small();
        Bed.SwapOut(area.Pages(100, 50));
        Collapse(area);
        Assert.Equal((PageSize.Huge, 0UL), (Anonymous(), Bed.Vma(area.Range).Swap));
        Assert.Equal((99UL, 120UL, 150UL), (Bed.Load(area.At(99)), Bed.Load(area.At(120)), Bed.Load(area.At(150))));
    }

    [Fact]
    public void Collapse_SharedByFork_TheChildKeepsItsPages()
    {
        MappedArea area = Small();
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        Collapse(area);
        Bed.Store(area.At(4), 40);
        using IMemoryAccess inChild = Expect.Ok(child.OpenAccess());
        Assert.Equal(4UL, PendingAccess.Load(inChild, area.At(4)).AwaitValue());
        Assert.Equal((PageSize.Huge, PageSize.Huge), (Anonymous(), Expect.Ok(child.Inspector.GetCounters()).Anonymous));
    }

    [Fact]
    public void Collapse_ReadOnlyMapping_HugeAndStillReadOnly()
    {
        MappedArea area = Small();
        Expect.Ok(Bed.Space.Protect(area.Range, Protections.Read));
        Collapse(area);
        Assert.Equal(AccessFault.Protection, Bed.StartStore(area.At(4)).Await().Fault);
        Assert.Equal((4UL, PageSize.Huge), (Bed.Load(area.At(4)), Bed.Vma(area.Range).AnonymousHuge));
    }

    [Fact]
    [Section("4.6")]
    public void Collapse_PoisonedPage_EINVALAndStillPoisoned()
    {
        MappedArea area = Small();
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Ok(Bed.Space.Advise(area.Page(9), Advice.DontNeed));
        Expect.Filled(monitor.Uffd.Poison(area.Page(9)), PageSize.Small);
        Expect.Fails(HugePages.Collapse(Bed, area.Range), Errno.EINVAL);
        Bed.LoadPoisoned(area.At(9));
    }

    [Fact]
    public void Collapse_GuardedPage_EINVALAndStillGuarded()
    {
        MappedArea area = Small();
        Expect.Ok(Bed.Space.Advise(area.Page(9), Advice.GuardInstall));
        Expect.Fails(HugePages.Collapse(Bed, area.Range), Errno.EINVAL);
        Assert.Equal(AccessFault.NotMapped, Bed.StartLoad(area.At(9)).Await().Fault);
    }

    // The zero page counts as absent where a monitor is armed.
    [Theory]
    [InlineData(RegisterModes.Missing)]
    [InlineData(RegisterModes.WriteProtect)]
    public void Collapse_ArmedAreaWithAZeroPage_EBUSY(RegisterModes modes)
    {
        MappedArea area = Small();
        Expect.Ok(Bed.Space.Advise(area.Page(9), Advice.DontNeed));
        Assert.Equal(0UL, Bed.Load(area.At(9)));
        Bed.Watch(area, modes);
        Expect.Fails(HugePages.Collapse(Bed, area.Range), Errno.EBUSY);
    }

    private void Collapse(MappedArea area) => Expect.Ok(HugePages.Collapse(Bed, area.Range));

    private ulong Anonymous() => Expect.Ok(Bed.Space.Inspector.GetCounters()).Anonymous;

    /// <summary>Pages of 4 KiB, each of which begins with its number.</summary>
    private MappedArea Small()
    {
        MappedArea area = Bed.MapAnonymous(SmallInHuge);
        HugePages.WriteNumbers(Bed, area);
        Testbed.SkipIf(Bed.Vma(area.Range).AnonymousHuge == 0
            ? null
            : "Memory gets huge pages without advice here (see /sys/kernel/mm/transparent_hugepage/enabled).");
        return area;
    }
}
