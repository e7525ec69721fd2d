using Xunit;

namespace Faultline.Conformance;

/// <summary>The UNMAP event: after a range is gone.</summary>
[Section("9.3")]
public abstract class EventUnmapConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Unmap_Registered_BlocksAfterTheFactUntilRead(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 2);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventUnmap);
        PendingWork<SystemResult> unmap = Testbed.StartCall("munmap", () => Bed.Space.Unmap(area.Range));
        unmap.AssertStillBlocked();
        Assert.Empty(Bed.Vmas(area.Range));
        monitor.ExpectEvent(UserfaultfdEvent.Unmap, area.Range);
        Expect.Ok(unmap.Await());
        monitor.ExpectNothingQueued();
    }

    // The whole range of the call, unregistered parts and holes included.
    [Fact]
    public void Unmap_PartlyRegisteredWithAHole_EventCarriesTheWholeRange()
    {
        MappedArea area = Bed.MapAnonymous(pages: 6);
        Expect.Ok(Bed.Space.Unmap(area.Page(4)));
        FaultMonitor monitor = Bed.Open(UserfaultfdFeatures.EventUnmap);
        monitor.Register(area.Page(1), RegisterModes.Missing);
        PendingWork<SystemResult> unmap = Testbed.StartCall("munmap", () => Bed.Space.Unmap(area.Range));
        monitor.ExpectEvent(UserfaultfdEvent.Unmap, area.Range);
        Expect.Ok(unmap.Await());
    }

    [Fact]
    public void Unmap_PartOfTheArea_RestStaysRegistered()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventUnmap);
        PendingWork<SystemResult> unmap = Testbed.StartCall("munmap", () => Bed.Space.Unmap(area.Page(1)));
        monitor.ExpectEvent(UserfaultfdEvent.Unmap, area.Page(1));
        Expect.Ok(unmap.Await());
        Assert.All(Bed.Vmas(area.Range), vma => Assert.Equal(RegisterModes.Missing, vma.RegisteredModes));
    }

    [Fact]
    public void Unmap_TwoContexts_EachGetsTheWholeRange()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor first = Bed.Open(UserfaultfdFeatures.EventUnmap);
        FaultMonitor second = Bed.Open(UserfaultfdFeatures.EventUnmap);
        first.Register(area.Pages(0, 2), RegisterModes.Missing);
        second.Register(area.Pages(2, 2), RegisterModes.Missing);
        PendingWork<SystemResult> unmap = Testbed.StartCall("munmap", () => Bed.Space.Unmap(area.Range));
        first.ExpectEvent(UserfaultfdEvent.Unmap, area.Range);
        second.ExpectEvent(UserfaultfdEvent.Unmap, area.Range);
        Expect.Ok(unmap.Await());
        first.ExpectNothingQueued();
        second.ExpectNothingQueued();
    }

    [Fact]
    public void MapFixed_OverARegisteredArea_Unmaps()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventUnmap);
        const MapOptions Over = MapOptions.Private | MapOptions.Anonymous | MapOptions.Fixed;
        MapRequest request = MapRequest.PrivateAnonymous(2 * PageSize.Small) with { Address = area.At(1), Options = Over };
        PendingWork<SystemResult<VirtualAddress>> map = Testbed.StartCall("mmap", () => Bed.Space.Map(request));
        monitor.ExpectEvent(UserfaultfdEvent.Unmap, area.Pages(1, 2));
        Assert.Equal(area.At(1), Expect.Ok(map.Await()));
        Assert.Equal(RegisterModes.None, Bed.Vma(area.Pages(1, 2)).RegisteredModes);
    }

    [Fact]
    public void Remap_Shrinking_UnmapsTheTail()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventUnmap | UserfaultfdFeatures.EventRemap);
        PendingWork<SystemResult<VirtualAddress>> remap = Testbed.StartCall("mremap", () => Bed.Space.Remap(area.Range, PageSize.Small, RemapOptions.None));
        monitor.ExpectEvent(UserfaultfdEvent.Unmap, area.Pages(1, 3));
        Expect.Ok(remap.Await());
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Unmap_WithoutTheFeature_DoesNotBlock()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Ok(Testbed.StartCall("munmap", () => Bed.Space.Unmap(area.Range)).Await());
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Unmap_NothingRegistered_NoEvent()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        MappedArea other = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventUnmap);
        Expect.Ok(Testbed.StartCall("munmap", () => Bed.Space.Unmap(other.Range)).Await());
        monitor.ExpectNothingQueued();
    }

    // Exit sends nothing, and does not block.
    [Fact]
    [Section("9.6")]
    [Regression(4)]
    public void Exit_Registered_NoEvent()
    {
        IAddressSpace space = Expect.Ok(Engine.CreateAddressSpace());
        AddressRange range = new(Expect.Ok(space.Map(MapRequest.PrivateAnonymous(PageSize.Small))), PageSize.Small);
        IUserfaultfd uffd = Bed.Own(Expect.Ok(space.OpenUserfaultfd(UserfaultfdOptions.NonBlocking)));
        Expect.Ok(uffd.Handshake(UserfaultfdFeatures.EventUnmap | UserfaultfdFeatures.EventRemove));
        Assert.True(uffd.Register(range, RegisterModes.Missing).IsOk);
        space.Dispose();
        Expect.Fails(uffd.Read(new UserfaultfdMessage[1]), Errno.EAGAIN);
    }
}
