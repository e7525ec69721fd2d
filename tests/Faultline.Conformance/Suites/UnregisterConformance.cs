using Xunit;

namespace Faultline.Conformance;

/// <summary>UFFDIO_UNREGISTER: checks, what it clears, and whom it wakes.</summary>
[Section("2.6")]
public abstract class UnregisterConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [MemberData(nameof(BadRanges.All), MemberType = typeof(BadRanges))]
    public void Unregister_BadRange_EINVALAndNothingChanged(BadRange bad)
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(monitor.Uffd.Unregister(bad.Of(area.Range)), Errno.EINVAL);
        Assert.Equal(RegisterModes.Missing, Bed.Vma(area.Range).RegisteredModes);
    }

    [Fact]
    public void Unregister_NothingMapped_EINVAL() =>
        Expect.Fails(Bed.Open().Uffd.Unregister(new(Bed.NextPlace(), PageSize.Small)), Errno.EINVAL);

    [Fact]
    [Section("7")]
    public void Unregister_PartOfAHugetlbPage_EINVAL()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 2);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(monitor.Uffd.Unregister(area.Range.Slice(PageSize.Small, PageSize.Huge)), Errno.EINVAL);
        Expect.Fails(monitor.Uffd.Unregister(area.Range.Slice(0, PageSize.Huge + PageSize.Small)), Errno.EINVAL);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Unregister_NeverRegistered_Succeeds(MemoryKind kind) => Expect.Ok(Bed.Open().Uffd.Unregister(Bed.Map(kind, pages: 1).Range));

    [Fact]
    public void Unregister_PartlyRegisteredWithHoles_Succeeds()
    {
        MappedArea area = Bed.MapAnonymous(pages: 6);
        FaultMonitor monitor = Bed.Open();
        monitor.Register(area.Pages(2, 2), RegisterModes.Missing);
        Expect.Ok(Bed.Space.Unmap(area.Page(1)));
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
        Assert.All(Bed.Vmas(area.Range), vma => Assert.Equal(RegisterModes.None, vma.RegisteredModes));
    }

    [Fact]
    [Regression(40)]
    public void Unregister_LaterMappingIsAnothers_EINVALAndNothingChanged()
    {
        MappedArea area = Bed.MapAnonymous(pages: 2);
        FaultMonitor mine = Bed.Open();
        mine.Register(area.Page(0), RegisterModes.Missing);
        Bed.Open().Register(area.Page(1), RegisterModes.Missing);
        Expect.Fails(mine.Uffd.Unregister(area.Range), Errno.EINVAL);
        Assert.All(Bed.Vmas(area.Range), vma => Assert.Equal(RegisterModes.Missing, vma.RegisteredModes));
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Unregister_ProtectedPages_ClearsTheBits(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.Store(area.At(0));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.True(Bed.IsProtected(area, 0));
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
        Assert.False(Bed.IsProtected(area, 0));
        Bed.Store(area.At(0), 9);
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void Unregister_WriteProtectMarkers_ClearsThem(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.True(Bed.IsProtected(area, 0));
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
        Assert.Equal(0UL, Bed.Pagemap(area, 0).Value);
    }

    [Fact]
    public void Unregister_ProtectedSwapEntry_ClearsTheBit()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous, pages: 1);
        Bed.Store(area.At(0), 5);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Bed.SwapOut(area.Range);
        Assert.True(Bed.Pagemap(area, 0) is { IsSwap: true, IsUserfaultfdWriteProtected: true });
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
        Assert.True(Bed.Pagemap(area, 0) is { IsSwap: true, IsUserfaultfdWriteProtected: false });
        Assert.Equal(5UL, Bed.Load(area.At(0)));
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Unregister_PoisonedPage_StaysPoisoned(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), area.PageBytes);
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
        Bed.LoadPoisoned(area.At(0));
    }

    [Fact]
    public void Unregister_GuardedPage_StaysGuarded()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.GuardInstall));
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
        Assert.False(Bed.StartLoad(area.At(0)).Await().IsOk);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Unregister_MissingWaiter_Wakes(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
        Assert.Equal(0UL, load.AwaitValue());
    }

    // 2.6.6: only mappings that had MISSING are woken.
    [Theory]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void Unregister_MinorOnlyWaiter_SleepsUntilWake(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.Minor, area.At(0));
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
        load.AssertStillBlocked();
        Expect.Ok(monitor.Uffd.Wake(area.Range));
        Assert.Equal(Pattern.Word(0, 0), load.AwaitValue());
    }

    [Fact]
    public void Unregister_MinorWithMissingWaiter_Wakes()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared, pages: 1);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor | RegisterModes.Missing);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.Minor, area.At(0));
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
        Assert.Equal(Pattern.Word(0, 0), load.AwaitValue());
    }

    [Theory]
    [InlineData(RegisterModes.WriteProtect, false)]
    [InlineData(RegisterModes.WriteProtect | RegisterModes.Missing, true)]
    public void Unregister_WriteProtectWaiter_WokenOnlyWithMissing(RegisterModes modes, bool woken)
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous, pages: 1);
        Bed.Store(area.At(0));
        FaultMonitor monitor = Bed.Watch(area, modes);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        PendingAccess store = Bed.StartStore(area.At(0));
        monitor.ExpectFault(PageFaultFlags.Write | PageFaultFlags.WriteProtect, area.At(0));
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
        if (!woken)
        {
            store.AssertStillBlocked();
            Expect.Ok(monitor.Uffd.Wake(area.Range));
        }

        store.AwaitValue();
    }

    [Fact]
    public void Unmap_Waiter_SleepsUntilWakeAndThenIsNotMapped()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Ok(Bed.Space.Unmap(area.Range));
        load.AssertStillBlocked();
        Expect.Ok(monitor.Uffd.Wake(area.Range));
        load.AwaitFault(AccessFault.NotMapped);
    }

    [Fact]
    public void Remap_WaiterInTheOldPlace_SleepsUntilWakeAndThenIsNotMapped()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        VirtualAddress target = Bed.NextPlace();
        Expect.Ok(Bed.Space.Remap(area.Range, area.Range.Length, RemapOptions.MayMove | RemapOptions.Fixed, target));
        load.AssertStillBlocked();
        Expect.Ok(monitor.Uffd.Wake(area.Range));
        load.AwaitFault(AccessFault.NotMapped);
        Assert.Equal(RegisterModes.None, Bed.Vma(area.Range with { Start = target }).RegisteredModes);
    }
}
