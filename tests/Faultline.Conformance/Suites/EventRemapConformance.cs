using Xunit;

namespace Faultline.Conformance;

/// <summary>The REMAP event: a registered range has moved, and its registration with it.</summary>
[Section("9.4")]
public abstract class EventRemapConformance(EngineHost host) : ConformanceSuite(host)
{
    private const UserfaultfdFeatures Both = UserfaultfdFeatures.EventRemap | UserfaultfdFeatures.EventUnmap;

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Remap_Moving_RemapThenUnmapOfTheSource(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Watched(kind);
        VirtualAddress target = Bed.NextPlace();
        PendingWork<SystemResult<VirtualAddress>> remap = Bed.StartMove(area.Range, target);
        remap.AssertStillBlocked();
        ExpectRemap(monitor, area.Range.Start, new(target, area.Range.Length));
        monitor.ExpectEvent(UserfaultfdEvent.Unmap, area.Range);
        Assert.Equal(target, Expect.Ok(remap.Await()));
        Assert.Equal(RegisterModes.Missing, Bed.Vma(area.Range with { Start = target }).RegisteredModes);
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Load_AtTheNewPlace_GivesAMessageThere()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous, UserfaultfdFeatures.EventRemap);
        VirtualAddress target = Bed.NextPlace();
        PendingWork<SystemResult<VirtualAddress>> remap = Bed.StartMove(area.Range, target);
        ExpectRemap(monitor, area.Range.Start, new(target, area.Range.Length));
        Expect.Ok(remap.Await());
        PendingAccess load = Bed.StartLoad(target + PageSize.Small);
        monitor.ExpectFault(PageFaultFlags.None, target + PageSize.Small);
        Expect.Filled(monitor.Retry(uffd => uffd.Zeropage(new(target + PageSize.Small, PageSize.Small))), PageSize.Small);
        load.AwaitValue();
    }

    [Fact]
    public void Remap_OntoARegisteredArea_UnmapOfTheTargetComesFirst()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        MappedArea other = Bed.Map(MemoryKind.Anonymous);
        monitor.Register(other.Range, RegisterModes.Missing);
        PendingWork<SystemResult<VirtualAddress>> remap = Bed.StartMove(area.Range, other.Range.Start);
        monitor.ExpectEvent(UserfaultfdEvent.Unmap, other.Range);
        ExpectRemap(monitor, area.Range.Start, other.Range);
        monitor.ExpectEvent(UserfaultfdEvent.Unmap, area.Range);
        Expect.Ok(remap.Await());
    }

    // With growth the event carries the old length, although the area grew.
    [Fact]
    public void Remap_MovingAndGrowing_EventCarriesTheOldLength()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous, UserfaultfdFeatures.EventRemap);
        VirtualAddress target = Bed.NextPlace();
        PendingWork<SystemResult<VirtualAddress>> remap = Bed.StartMove(area.Range, target, 2 * area.Range.Length);
        ExpectRemap(monitor, area.Range.Start, new(target, area.Range.Length));
        Expect.Ok(remap.Await());
        AddressRange grown = new(target, 2 * area.Range.Length);
        Assert.Equal((grown, RegisterModes.Missing), (Bed.Vma(grown).Range, Bed.Vma(grown).RegisteredModes));
    }

    [Fact]
    public void Remap_DontUnmap_RemapOnlyAndBothStayRegistered()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        VirtualAddress target = Bed.NextPlace();
        PendingWork<SystemResult<VirtualAddress>> remap = Bed.StartMove(area.Range, target, area.Range.Length, RemapOptions.DontUnmap);
        ExpectRemap(monitor, area.Range.Start, new(target, area.Range.Length));
        Expect.Ok(remap.Await());
        monitor.ExpectNothingQueued();
        Assert.Equal(RegisterModes.Missing, Bed.Vma(area.Range).RegisteredModes);
        Assert.Equal(RegisterModes.Missing, Bed.Vma(area.Range with { Start = target }).RegisteredModes);
    }

    [Fact]
    [Regression(42)]
    public void Remap_DontUnmapWithoutTheFeature_OldPlaceFaultsMissing()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(area.At(0), 5);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        VirtualAddress target = Bed.NextPlace();
        Expect.Ok(Bed.Space.Remap(area.Range, area.Range.Length, RemapOptions.MayMove | RemapOptions.Fixed | RemapOptions.DontUnmap, target));
        Assert.Equal(RegisterModes.None, Bed.Vma(area.Range with { Start = target }).RegisteredModes);
        Assert.Equal(5UL, Bed.Load(target));
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(0)), PageSize.Small);
        Assert.Equal(0UL, load.AwaitValue());
    }

    [Fact]
    public void Remap_GrowingInPlace_NoEvent()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        Expect.Ok(Testbed.StartCall("mremap", () => Bed.Space.Remap(area.Range, 2 * area.Range.Length, RemapOptions.None)).Await());
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Remap_WithoutTheFeature_NewPlaceIsOrdinaryMemory()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        VirtualAddress target = Bed.NextPlace();
        Expect.Ok(Bed.StartMove(area.Range, target).Await());
        Assert.Equal(0UL, Bed.Load(target));
        monitor.ExpectNothingQueued();
    }

    // Zero old length duplicates a shared mapping; the event's length is that zero.
    [Fact]
    public void Remap_ZeroOldLengthOfSharedMemory_EventWithLengthZero()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.ShmemShared);
        VirtualAddress target = Bed.NextPlace();
        PendingWork<SystemResult<VirtualAddress>> remap = Bed.StartMove(new(area.Range.Start, 0), target, area.Range.Length);
        ExpectRemap(monitor, area.Range.Start, new(target, 0));
        Expect.Ok(remap.Await());
        Assert.Equal(RegisterModes.Missing, Bed.Vma(area.Range).RegisteredModes);
    }

    // 9.4 and 13, row 44: a call that fails its checks leaves no raised counter.
    [Theory]
    [InlineData(RemapOptions.Fixed)]
    [InlineData((RemapOptions)64)]
    [Regression(44)]
    public void Remap_BadOptions_EINVALAndFillsStillWork(RemapOptions options)
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        Expect.Fails(Testbed.StartCall("mremap", () => Bed.Space.Remap(area.Range, area.Range.Length, options, Bed.NextPlace())).Await(), Errno.EINVAL);
        monitor.ExpectNothingQueued();
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(0)), PageSize.Small);
    }

    [Fact]
    [Regression(44)]
    public void Remap_NothingMapped_EFAULTAndFillsStillWork()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        Expect.Fails(Bed.Space.Remap(new(Bed.NextPlace(), PageSize.Small), PageSize.Small, RemapOptions.MayMove), Errno.EFAULT);
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(0)), PageSize.Small);
    }

    // Several mappings at once: not for registered ones.
    [Fact]
    [Regression(42)]
    public void Remap_TwoRegisteredMappings_EFAULT()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        Expect.Ok(Bed.Space.Protect(area.Pages(2, 2), Protections.Read));
        Expect.Fails(Bed.StartMove(area.Range, Bed.NextPlace()).Await(), Errno.EFAULT);
        monitor.ExpectNothingQueued();
    }

    private static void ExpectRemap(FaultMonitor monitor, VirtualAddress from, AddressRange to)
    {
        UserfaultfdMessage message = monitor.NextMessage();
        Assert.Equal((UserfaultfdEvent.Remap, from, to), (message.Event, message.Address, message.Range));
    }

    private (MappedArea Area, FaultMonitor Monitor) Watched(MemoryKind kind, UserfaultfdFeatures features = Both)
    {
        MappedArea area = Bed.Map(kind, kind.IsHugetlb() ? 1 : 4);
        return (area, Bed.Watch(area, RegisterModes.Missing, features));
    }
}
