using Xunit;

namespace Faultline.Conformance;

/// <summary>UFFDIO_WAKE: whom it wakes, and that it never fails on a proper range.</summary>
[Section("4.7")]
public abstract class WakeConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [MemberData(nameof(BadRanges.All), MemberType = typeof(BadRanges))]
    public void Wake_BadRange_EINVAL(BadRange bad)
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Expect.Fails(Bed.Open().Uffd.Wake(bad.Of(area.Range)), Errno.EINVAL);
    }

    [Fact]
    public void Wake_UnmappedUnregisteredOrNobodyThere_Succeeds()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Open();
        Expect.Ok(monitor.Uffd.Wake(new(Bed.NextPlace(), PageSize.Small)));
        Expect.Ok(monitor.Uffd.Wake(area.Range));
        monitor.Register(area.Range, RegisterModes.Missing);
        Expect.Ok(monitor.Uffd.Wake(area.Range));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void Wake_OnePage_WakesTheWaitersOfThatPageOnly(int woken, bool expected)
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingAccess load = Bed.StartLoad(area.At(1));
        monitor.ExpectFault(PageFaultFlags.None, area.At(1));
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(1), FillModes.DontWake), area.PageBytes);
        Expect.Ok(monitor.Uffd.Wake(area.Page(woken)));
        if (!expected)
        {
            load.AssertStillBlocked();
            Expect.Ok(monitor.Uffd.Wake(area.Range));
        }

        load.AwaitValue();
    }

    [Fact]
    public void Wake_SeveralWaiters_AllInTheRange()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingAccess[] loads = [Bed.StartLoad(area.At(0)), Bed.StartLoad(area.At(1)), Bed.StartLoad(area.At(1)), Bed.StartLoad(area.At(3))];
        monitor.AwaitPending(4);
        Expect.Filled(monitor.Uffd.Zeropage(area.Range, FillModes.DontWake), area.Range.Length);
        Assert.All(loads, load => Assert.False(load.IsDone));
        Expect.Ok(monitor.Uffd.Wake(area.Range));
        Assert.All(loads, load => load.AwaitValue());
    }

    // 3.7: without the exact address, the huge-aligned message address decides.
    [Theory]
    [Section("3.7")]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Wake_LastSmallPageOfAHugePage_WakesNobody(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingAccess load = Bed.StartLoad(area.At(0, PageSize.Huge - 8));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 1), FillModes.DontWake), area.PageBytes);
        Expect.Ok(monitor.Uffd.Wake(new(area.At(0, PageSize.Huge - PageSize.Small), PageSize.Small)));
        load.AssertStillBlocked();
        Expect.Ok(monitor.Uffd.Wake(new(area.At(0), PageSize.Small)));
        load.AwaitValue();
    }

    [Fact]
    [Section("3.7")]
    public void Wake_SmallPageOfTheExactAddress_Wakes()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.ExactAddress);
        PendingAccess load = Bed.StartLoad(area.At(0, PageSize.Huge - 8));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0, PageSize.Huge - 8));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 1), FillModes.DontWake), area.PageBytes);
        Expect.Ok(monitor.Uffd.Wake(new(area.At(0), PageSize.Small)));
        load.AssertStillBlocked();
        Expect.Ok(monitor.Uffd.Wake(new(area.At(0, PageSize.Huge - PageSize.Small), PageSize.Small)));
        load.AwaitValue();
    }

    // 3.7: only waiters of the issuing context are looked at.
    [Fact]
    [Section("3.7")]
    public void Wake_ByAnotherContext_WakesNobody()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor owner = Bed.Watch(area, RegisterModes.Missing);
        FaultMonitor other = Bed.Open();
        PendingAccess load = Bed.StartLoad(area.At(0));
        owner.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Ok(other.Uffd.Wake(area.Range));
        load.AssertStillBlocked();
        owner.ExpectNothingQueued();
        Expect.Filled(owner.Uffd.Zeropage(area.Page(0)), area.PageBytes);
        load.AwaitValue();
    }
}
