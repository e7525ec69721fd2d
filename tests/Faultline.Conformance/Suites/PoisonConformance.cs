using Xunit;

namespace Faultline.Conformance;

/// <summary>UFFDIO_POISON: where it goes, and how long it stays.</summary>
[Section("4.6")]
public abstract class PoisonConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Poison_EmptyPage_AccessesFailAndSecondTimeEEXIST(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Watched(kind);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), area.PageBytes);
        Bed.LoadPoisoned(area.At(0));
        Bed.LoadPoisoned(area.At(0, area.PageBytes - 8));
        Testbed.AssertPoisoned(Bed.StartStore(area.At(0)).Await());
        Expect.Fails(monitor.Uffd.Poison(area.Page(0)), Errno.EEXIST);
    }

    [Theory]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemShared)]
    [InlineData(MemoryKind.ShmemPrivate)]
    public void Poison_EmptyPage_ShowsAsSwapInThePagemap(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Watched(kind);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), PageSize.Small);
        Assert.True(Bed.Pagemap(area, 0) is { IsSwap: true, IsPresent: false, IsUserfaultfdWriteProtected: false });
    }

    [Fact]
    public void Poison_Waiter_WakesIntoTheError()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), PageSize.Small);
        Testbed.AssertPoisoned(load.Await());
    }

    [Fact]
    public void Poison_KernelAccess_BadAddress()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), PageSize.Small);
        IMemoryAccess kernel = Bed.Own(Expect.Ok(Bed.Space.OpenAccess(AccessMode.Kernel)));
        PendingAccess.Load(kernel, area.At(0)).AwaitFault(AccessFault.BadAddress);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Poison_OccupiedPage_EEXISTAndContentsKept(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Watched(kind);
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 2)), area.PageBytes);
        Expect.Fails(monitor.Uffd.Poison(area.Page(0)), Errno.EEXIST);
        Bed.AssertPattern(area, 0, seed: 2);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Poison_OverAWriteProtectMarker_EEXIST(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectUnpopulated);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Expect.Fails(monitor.Uffd.Poison(area.Page(0)), Errno.EEXIST);
    }

    [Fact]
    public void Poison_OverAGuard_EEXIST()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.GuardInstall));
        Expect.Fails(monitor.Uffd.Poison(area.Page(0)), Errno.EEXIST);
    }

    [Theory]
    [InlineData(MemoryKind.ShmemShared, Errno.EFAULT)]
    [InlineData(MemoryKind.ShmemPrivate, Errno.EFAULT)]
    [InlineData(MemoryKind.HugetlbShared, Errno.None)]
    [InlineData(MemoryKind.HugetlbPrivate, Errno.None)]
    public void Poison_BeyondTheEndOfTheFile_EFAULTOnShmemSucceedsOnHugetlb(MemoryKind kind, Errno expected)
    {
        MappedArea area = Bed.MapBeyondTheEnd(kind, filePages: 1, pages: 2);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Assert.Equal(expected, monitor.Uffd.Poison(area.Page(1)).Errno);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void Poison_CachedPageNotYetMapped_FailsHereAndNotInTheAlias(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.FillCache(area);
        MappedArea alias = Bed.Alias(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), area.PageBytes);
        Bed.LoadPoisoned(area.At(0));
        Bed.AssertPattern(alias, 0, seed: 0);
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void DontNeed_PoisonedPage_RemovesThePoison(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Watched(kind);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), area.PageBytes);
        Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.DontNeed));
        Assert.Equal(0UL, Bed.Pagemap(area, 0).Value);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 1)), area.PageBytes);
        load.AwaitValue();
    }

    [Fact]
    public void UnmapAndMapAgain_PoisonedPage_RemovesThePoison()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), PageSize.Small);
        Expect.Ok(Bed.Space.Unmap(area.Range));
        Bed.MapAt(area.At(0), MapRequest.PrivateAnonymous(area.Range.Length));
        Assert.Equal(0UL, Bed.Load(area.At(0)));
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Shmem), MemberType = typeof(MemoryKinds))]
    public void PunchHole_PoisonedPage_KeepsThePoison(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), PageSize.Small);
        Expect.Ok(area.Backing.PunchHole(0, PageSize.Small));
        Bed.LoadPoisoned(area.At(0));
    }

    [Theory]
    [InlineData(UserfaultfdFeatures.None)]
    [InlineData(UserfaultfdFeatures.EventRemap)]
    public void Remap_PoisonedPage_MovesThePoison(UserfaultfdFeatures features)
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, features);
        Expect.Filled(monitor.Uffd.Poison(area.Page(1)), PageSize.Small);
        VirtualAddress target = Bed.NextPlace();
        PendingWork<SystemResult<VirtualAddress>> remap = Bed.StartMove(area.Range, target);
        if (features != UserfaultfdFeatures.None)
        {
            Assert.Equal(UserfaultfdEvent.Remap, monitor.NextMessage().Event);
        }

        Expect.Ok(remap.Await());
        Bed.LoadPoisoned(target + PageSize.Small);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Private), MemberType = typeof(MemoryKinds))]
    public void Fork_PoisonedPage_ChildHasThePoison(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Watched(kind);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), area.PageBytes);
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        IMemoryAccess access = Bed.Own(Expect.Ok(child.OpenAccess()));
        Testbed.AssertPoisoned(PendingAccess.Load(access, area.At(0)).Await());
    }

    private (MappedArea Area, FaultMonitor Monitor) Watched(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, kind.IsHugetlb() ? 1 : 4);
        return (area, Bed.Watch(area, RegisterModes.Missing));
    }
}
