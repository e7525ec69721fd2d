using System;
using Xunit;

namespace Faultline.Conformance;

/// <summary>What becomes of the write-protect bit of a page that is dropped, swapped, forked, moved or set free.</summary>
[Section("8.3")]
public abstract class WriteProtectLifeConformance(EngineHost host) : ConformanceSuite(host)
{
    private const PageFaultFlags WriteProtected = PageFaultFlags.Write | PageFaultFlags.WriteProtect;

    /// <summary>All kinds, for a protected page and for a protected empty place.</summary>
    public static TheoryData<MemoryKind, bool> KindsPresentOrNot
    {
        get
        {
            TheoryData<MemoryKind, bool> rows = [];
            foreach (MemoryKind kind in Enum.GetValues<MemoryKind>())
            {
                rows.Add(kind, p2: true);
                rows.Add(kind, p2: false);
            }

            return rows;
        }
    }

    [Theory]
    [InlineData(MemoryKind.Anonymous, false)]
    [InlineData(MemoryKind.ShmemShared, true)]
    [InlineData(MemoryKind.ShmemPrivate, true)]
    [InlineData(MemoryKind.HugetlbShared, true)]
    [InlineData(MemoryKind.HugetlbPrivate, true)]
    public void DontNeed_ProtectedPage_LostOnAnonymousKeptAsMarkerElsewhere(MemoryKind kind, bool kept)
    {
        (MappedArea area, _) = Protected(kind);
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.DontNeed));
        Assert.Equal((false, kept), (Bed.Pagemap(area, 0).IsPresent, Bed.IsProtected(area, 0)));
    }

    [Theory]
    [InlineData(MemoryKind.ShmemShared, true)]
    [InlineData(MemoryKind.ShmemShared, false)]
    [InlineData(MemoryKind.HugetlbShared, true)]
    [InlineData(MemoryKind.HugetlbShared, false)]
    public void PunchHole_ProtectedPage_KeptAsMarker(MemoryKind kind, bool throughTheFile)
    {
        (MappedArea area, _) = Protected(kind);
        Expect.Ok(throughTheFile ? area.Backing.PunchHole(0, area.PageBytes) : Bed.Space.Advise(area.Range, Advice.Remove));
        Assert.Equal((false, true), (Bed.Pagemap(area, 0).IsPresent, Bed.IsProtected(area, 0)));
        Assert.Equal(0UL, Testbed.Blocks(area));
    }

    [Theory]
    [InlineData(MemoryKind.ShmemShared, true)]
    [InlineData(MemoryKind.HugetlbShared, false)]
    public void Truncate_ProtectedPage_KeptAsMarkerOnShmemDroppedOnHugetlb(MemoryKind kind, bool kept)
    {
        (MappedArea area, _) = Protected(kind);
        Expect.Ok(area.Backing.Truncate(0));
        Assert.Equal((false, kept), (Bed.Pagemap(area, 0).IsPresent, Bed.IsProtected(area, 0)));
    }

    [Theory]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemShared)]
    [InlineData(MemoryKind.ShmemPrivate)]
    public void SwapOutAndIn_ProtectedPage_Kept(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Protected(kind);
        Bed.SwapOut(area.Range);
        Assert.True(Bed.IsProtected(area, 0));
        Assert.Equal(7UL, Bed.Load(area.At(0)));
        Assert.True(Bed.Pagemap(area, 0) is { IsPresent: true, IsUserfaultfdWriteProtected: true });
        PendingAccess store = Bed.StartStore(area.At(0), 8);
        monitor.ExpectFault(WriteProtected, area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        store.AwaitValue();
    }

    [Theory]
    [InlineData(MemoryKind.Anonymous, Protections.Read)]
    [InlineData(MemoryKind.Anonymous, Protections.None)]
    [InlineData(MemoryKind.ShmemShared, Protections.Read)]
    [InlineData(MemoryKind.ShmemShared, Protections.None)]
    [InlineData(MemoryKind.ShmemPrivate, Protections.Read)]
    [InlineData(MemoryKind.HugetlbShared, Protections.Read)]
    [InlineData(MemoryKind.HugetlbPrivate, Protections.None)]
    [Regression(26)]
    public void Protect_AwayAndBack_Kept(MemoryKind kind, Protections away)
    {
        (MappedArea area, FaultMonitor monitor) = Protected(kind);
        Expect.Ok(Bed.Space.Protect(area.Range, away));
        Assert.True(Bed.IsProtected(area, 0));
        Expect.Ok(Bed.Space.Protect(area.Range, Protections.ReadWrite));
        PendingAccess store = Bed.StartStore(area.At(0), 8);
        monitor.ExpectFault(WriteProtected, area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        store.AwaitValue();
    }

    [Theory]
    [MemberData(nameof(KindsPresentOrNot))]
    [Regression(12)]
    [Regression(24)]
    public void Fork_WithoutTheEvent_ParentKeepsChildIsCleared(MemoryKind kind, bool present)
    {
        (MappedArea area, _) = Protected(kind, present);
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        Assert.True(Bed.IsProtected(area, 0));
        Assert.False(Testbed.PagemapOf(child, area.At(0)).IsUserfaultfdWriteProtected);
        Assert.Equal(RegisterModes.None, Assert.Single(Expect.Ok(child.Inspector.GetMappings(area.Range))).RegisteredModes);
    }

    [Theory]
    [MemberData(nameof(KindsPresentOrNot))]
    public void Fork_WithTheEvent_ChildKeepsBitAndRegistration(MemoryKind kind, bool present)
    {
        (MappedArea area, FaultMonitor monitor) = Protected(kind, present, UserfaultfdFeatures.EventFork);
        PendingWork<SystemResult<IAddressSpace>> fork = Testbed.StartCall("fork", Bed.Space.Fork);
        UserfaultfdMessage message = monitor.NextMessage();
        Assert.Equal(UserfaultfdEvent.Fork, message.Event);
        Bed.Own(Assert.IsType<IUserfaultfd>(message.Forked, exactMatch: false));
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(fork.Await()));
        Assert.True(Testbed.PagemapOf(child, area.At(0)).IsUserfaultfdWriteProtected);
        Assert.Equal(RegisterModes.WriteProtect, Assert.Single(Expect.Ok(child.Inspector.GetMappings(area.Range))).RegisteredModes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Regression(18)]
    public void Fork_ProtectedSwapEntry_ChildHasTheBitOnlyWithTheEvent(bool withEvent)
    {
        UserfaultfdFeatures features = withEvent ? UserfaultfdFeatures.EventFork : UserfaultfdFeatures.None;
        (MappedArea area, FaultMonitor monitor) = Protected(MemoryKind.Anonymous, features: features);
        Bed.SwapOut(area.Range);
        PendingWork<SystemResult<IAddressSpace>> fork = Testbed.StartCall("fork", Bed.Space.Fork);
        if (withEvent)
        {
            Bed.Own(monitor.NextMessage().Forked!);
        }

        IAddressSpace child = Bed.OwnSpace(Expect.Ok(fork.Await()));
        Assert.Equal((true, withEvent), (Testbed.PagemapOf(child, area.At(0)).IsSwap, Testbed.PagemapOf(child, area.At(0)).IsUserfaultfdWriteProtected));
        Assert.True(Bed.IsProtected(area, 0));
    }

    [Theory]
    [MemberData(nameof(KindsPresentOrNot))]
    [Regression(37)]
    public void Remap_WithoutTheEvent_BitsAndMarkersCleared(MemoryKind kind, bool present)
    {
        (MappedArea area, FaultMonitor monitor) = Protected(kind, present);
        VirtualAddress target = Bed.NextPlace();
        Expect.Ok(Bed.Space.Remap(area.Range, area.Range.Length, RemapOptions.MayMove | RemapOptions.Fixed, target));
        Assert.Equal((present, false), (Bed.Pagemap(target).IsPresent, Bed.Pagemap(target).IsUserfaultfdWriteProtected));
        Assert.Equal(RegisterModes.None, Bed.Vma(area.Range with { Start = target }).RegisteredModes);
        Bed.Store(target, 9);
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [MemberData(nameof(KindsPresentOrNot))]
    public void Remap_WithTheEvent_BitsAndRegistrationKept(MemoryKind kind, bool present)
    {
        (MappedArea area, FaultMonitor monitor) = Protected(kind, present, UserfaultfdFeatures.EventRemap);
        VirtualAddress target = Bed.NextPlace();
        PendingWork<SystemResult<VirtualAddress>> remap = Bed.StartMove(area.Range, target);
        Assert.Equal(UserfaultfdEvent.Remap, monitor.NextMessage().Event);
        Expect.Ok(remap.Await());
        Assert.Equal((present, true), (Bed.Pagemap(target).IsPresent, Bed.Pagemap(target).IsUserfaultfdWriteProtected));
        Assert.Equal(RegisterModes.WriteProtect, Bed.Vma(area.Range with { Start = target }).RegisteredModes);
    }

    [Theory]
    [MemberData(nameof(KindsPresentOrNot))]
    [Regression(34)]
    public void Close_ProtectedPage_Cleared(MemoryKind kind, bool present)
    {
        (MappedArea area, FaultMonitor monitor) = Protected(kind, present);
        monitor.Dispose();
        Assert.Equal((present, false), (Bed.Pagemap(area, 0).IsPresent, Bed.IsProtected(area, 0)));
        Assert.Equal(RegisterModes.None, Bed.Vma(area.Range).RegisteredModes);
        Bed.Store(area.At(0), 3);
    }

    // A private page of the mapping's own leaves a marker too.
    [Fact]
    public void DontNeed_ProtectedOwnPageOfPrivateShmem_KeptAsMarker()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemPrivate, pages: 1);
        Bed.Store(area.At(0), 7);
        Assert.False(Bed.Pagemap(area, 0).IsFile);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.DontNeed));
        Assert.Equal((false, true), (Bed.Pagemap(area, 0).IsPresent, Bed.IsProtected(area, 0)));
        Assert.Equal(0UL, Bed.Load(area.At(0)));
        PendingAccess store = Bed.StartStore(area.At(0), 8);
        monitor.ExpectFault(WriteProtected, area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        store.AwaitValue();
    }

    // The message comes first, the copy after the protection is taken off.
    [Theory]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemPrivate)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void Store_ProtectedAndSharedByFork_MessageThenCopyOnWrite(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Protected(kind);
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        PendingAccess store = Bed.StartStore(area.At(0), 8);
        monitor.ExpectFault(WriteProtected, area.At(0));
        Assert.Equal(Bed.Pagemap(area, 0).FrameOrSwap, Testbed.PagemapOf(child, area.At(0)).FrameOrSwap);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        store.AwaitValue();
        Assert.NotEqual(Bed.Pagemap(area, 0).FrameOrSwap, Testbed.PagemapOf(child, area.At(0)).FrameOrSwap);
        IMemoryAccess childAccess = Bed.Own(Expect.Ok(child.OpenAccess()));
        Assert.Equal(7UL, PendingAccess.Load(childAccess, area.At(0)).AwaitValue());
    }

    // 8.4: transparent huge pages.
    [Fact]
    [Section("8.4")]
    public void WriteProtect_WholeHugeMapping_StaysHugeAndOneMessageComesAtTheSmallAddress()
    {
        (MappedArea area, FaultMonitor monitor) = HugeAnonymous();
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).AnonymousHuge);
        PendingAccess store = Bed.StartStore(area.At(5, 8), 1);
        monitor.ExpectFault(WriteProtected, area.At(5));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(5), WriteProtectModes.None));
        store.AwaitValue();
        Assert.Equal((true, false, true), (Bed.IsProtected(area, 4), Bed.IsProtected(area, 5), Bed.IsProtected(area, 6)));
        Assert.Equal(0UL, Bed.Vma(area.Range).AnonymousHuge);
    }

    [Fact]
    [Section("8.1")]
    [Regression(28)]
    public void WriteProtect_PartOfAHugeMapping_SplitsAndProtectsThosePagesOnly()
    {
        (MappedArea area, FaultMonitor monitor) = HugeAnonymous();
        Expect.Ok(monitor.Uffd.WriteProtect(area.Pages(1, 2), WriteProtectModes.Protect));
        Assert.Equal((false, true, true, false), (Bed.IsProtected(area, 0), Bed.IsProtected(area, 1), Bed.IsProtected(area, 2), Bed.IsProtected(area, 3)));
        Assert.Equal(0UL, Bed.Vma(area.Range).AnonymousHuge);
    }

    private (MappedArea Area, FaultMonitor Monitor) HugeAnonymous()
    {
        MappedArea area = Bed.MapAnonymous((int)(PageSize.Huge / PageSize.Small));
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.HugePage));
        Bed.Store(area.At(0));
        Testbed.SkipIf(Bed.Vma(area.Range).AnonymousHuge == PageSize.Huge ? null : "The engine gave no transparent huge page (see /sys/kernel/mm/transparent_hugepage/enabled).");
        return (area, Bed.Watch(area, RegisterModes.WriteProtect));
    }

    private (MappedArea Area, FaultMonitor Monitor) Protected(MemoryKind kind, bool present = true, UserfaultfdFeatures features = UserfaultfdFeatures.None)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        if (present)
        {
            Bed.Store(area.At(0), 7);
        }

        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect, features | UserfaultfdFeatures.WriteProtectUnpopulated);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.Equal((present, true), (Bed.Pagemap(area, 0).IsPresent, Bed.IsProtected(area, 0)));
        return (area, monitor);
    }
}
