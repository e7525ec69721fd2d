using Xunit;

namespace Faultline.Conformance;

/// <summary>What happens when the last reference to a context goes.</summary>
[Section("1.2.5")]
public abstract class CloseConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Close_MissingWaiter_TakesTheOrdinaryPath(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        monitor.Dispose();
        Assert.Equal(0UL, load.AwaitValue());
        Assert.Equal(RegisterModes.None, Bed.Vma(area.Range).RegisteredModes);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void Close_MinorWaiter_SeesTheCachedPage(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.Minor, area.At(0));
        monitor.Dispose();
        Assert.Equal(Pattern.Word(0, 0), load.AwaitValue());
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Close_WriteProtectWaiter_TheStoreIsMade(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.Store(area.At(0), 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        PendingAccess store = Bed.StartStore(area.At(0), 2);
        monitor.ExpectFault(PageFaultFlags.Write | PageFaultFlags.WriteProtect, area.At(0));
        monitor.Dispose();
        store.AwaitValue();
        Assert.Equal(2UL, Bed.Load(area.At(0)));
    }

    [Fact]
    public void Close_UnreadFaults_WaitersGoOn()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingAccess[] loads = [Bed.StartLoad(area.At(0)), Bed.StartLoad(area.At(1)), Bed.StartLoad(area.At(1))];
        monitor.AwaitPending(3);
        monitor.Dispose();
        Assert.All(loads, load => Assert.Equal(0UL, load.AwaitValue()));
    }

    [Fact]
    public void Close_UnreadEvents_CallsGoOn()
    {
        MappedArea first = Bed.Map(MemoryKind.Anonymous);
        MappedArea second = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(first.At(0));
        FaultMonitor monitor = Bed.Watch(first, RegisterModes.Missing, UserfaultfdFeatures.EventRemove | UserfaultfdFeatures.EventUnmap);
        monitor.Register(second.Range, RegisterModes.Missing);
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(first.Range, Advice.DontNeed));
        advise.AssertStillBlocked();
        PendingWork<SystemResult> unmap = Testbed.StartCall("munmap", () => Bed.Space.Unmap(second.Range));
        unmap.AssertStillBlocked();
        monitor.Dispose();
        Expect.Ok(advise.Await());
        Expect.Ok(unmap.Await());
        Assert.False(Bed.Pagemap(first, 0).IsPresent);
    }

    [Fact]
    public void Close_AllRegistrations_AreGoneAndMerged()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Open();
        monitor.Register(area.Page(1), RegisterModes.Missing);
        monitor.Register(area.Page(3), RegisterModes.Missing | RegisterModes.WriteProtect);
        Assert.Equal(4, Bed.Vmas(area.Range).Count);
        monitor.Dispose();
        Assert.All(Bed.Vmas(area.Range), vma => Assert.Equal(RegisterModes.None, vma.RegisteredModes));
    }

    [Fact]
    public void Close_PoisonedPage_StaysPoisoned()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), PageSize.Small);
        monitor.Dispose();
        Bed.LoadPoisoned(area.At(0));
    }

    [Fact]
    public void Close_ThenRegisterWithAnother_Succeeds()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Watch(area, RegisterModes.Missing).Dispose();
        Bed.Watch(area, RegisterModes.WriteProtect);
        Assert.Equal(RegisterModes.WriteProtect, Bed.Vma(area.Range).RegisteredModes);
    }

    // a populating call does not keep a context from being closed.
    [Fact]
    [Regression(38)]
    public void Close_WhilePopulateWaits_PopulateGoesOn()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingWork<SystemResult> populate = Testbed.StartCall("populate", () => Bed.Space.Advise(area.Range, Advice.PopulateWrite));
        monitor.ExpectFault(PageFaultFlags.Write, area.At(0));
        monitor.Dispose();
        Expect.Ok(populate.Await());
        Assert.True(Bed.Pagemap(area, 3).IsPresent);
    }
}
