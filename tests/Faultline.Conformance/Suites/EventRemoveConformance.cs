using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>The REMOVE event: before pages are dropped by advice.</summary>
[Section("9.2")]
public abstract class EventRemoveConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [InlineData(MemoryKind.Anonymous, Advice.DontNeed)]
    [InlineData(MemoryKind.Anonymous, Advice.Free)]
    [InlineData(MemoryKind.Anonymous, Advice.DontNeedLocked)]
    [InlineData(MemoryKind.ShmemShared, Advice.DontNeed)]
    [InlineData(MemoryKind.ShmemShared, Advice.Remove)]
    [InlineData(MemoryKind.ShmemPrivate, Advice.DontNeed)]
    [InlineData(MemoryKind.HugetlbShared, Advice.DontNeed)]
    [InlineData(MemoryKind.HugetlbShared, Advice.Remove)]
    [InlineData(MemoryKind.HugetlbPrivate, Advice.DontNeed)]
    public void Advise_DroppingAdvice_BlocksUntilTheEventIsReadThenDrops(MemoryKind kind, Advice advice)
    {
        (MappedArea area, FaultMonitor monitor) = Populated(kind);
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Page(1), advice));
        advise.AssertStillBlocked();
        Assert.True(Bed.Pagemap(area, 1).IsPresent);
        monitor.ExpectEvent(UserfaultfdEvent.Remove, area.Page(1));
        Expect.Ok(advise.Await());
        Assert.Equal(advice == Advice.Free, Bed.Pagemap(area, 1).IsPresent);
        Assert.True(Bed.Pagemap(area, 0).IsPresent);
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Load_AfterRemove_MissingAgain()
    {
        (MappedArea area, FaultMonitor monitor) = Populated(MemoryKind.Anonymous);
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Page(0), Advice.DontNeed));
        monitor.ExpectEvent(UserfaultfdEvent.Remove, area.Page(0));
        Expect.Ok(advise.Await());
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(monitor.Retry(uffd => uffd.Zeropage(area.Page(0))), area.PageBytes);
        Assert.Equal(0UL, load.AwaitValue());
    }

    // While the event is unread the page is still there.
    [Fact]
    public void Load_WhileTheEventIsUnread_SeesTheOldPage()
    {
        (MappedArea area, FaultMonitor monitor) = Populated(MemoryKind.Anonymous);
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Page(0), Advice.DontNeed));
        advise.AssertStillBlocked();
        Assert.Equal(1UL, Bed.Load(area.At(0)));
        monitor.ExpectEvent(UserfaultfdEvent.Remove, area.Page(0));
        Expect.Ok(advise.Await());
    }

    [Fact]
    public void Advise_AcrossTwoMappings_OneEventForEachClipped()
    {
        (MappedArea area, FaultMonitor monitor) = Populated(MemoryKind.Anonymous, pages: 4);
        Expect.Ok(Bed.Space.Protect(area.Pages(2, 2), Protections.Read));
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Pages(1, 2), Advice.DontNeed));
        monitor.ExpectEvent(UserfaultfdEvent.Remove, area.Page(1));
        monitor.ExpectEvent(UserfaultfdEvent.Remove, area.Page(2));
        Expect.Ok(advise.Await());
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Advise_PartlyRegistered_EventForThatPartOnly()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.WriteBytes(area.At(0), Pattern.Bytes(area.Range.Length, 1));
        FaultMonitor monitor = Bed.Open(UserfaultfdFeatures.EventRemove);
        monitor.Register(area.Pages(1, 2), RegisterModes.Missing);
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Range, Advice.DontNeed));
        monitor.ExpectEvent(UserfaultfdEvent.Remove, area.Pages(1, 2));
        Expect.Ok(advise.Await());
        Assert.All(Enumerable.Range(0, 4), page => Assert.False(Bed.Pagemap(area, page).IsPresent));
    }

    // 9.1: several contexts: their events one after the other.
    [Fact]
    [Section("9.1")]
    public void Advise_TwoContexts_OneEventEachOneAfterTheOther()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor first = Bed.Open(UserfaultfdFeatures.EventRemove);
        FaultMonitor second = Bed.Open(UserfaultfdFeatures.EventRemove);
        first.Register(area.Pages(0, 2), RegisterModes.Missing);
        second.Register(area.Pages(2, 2), RegisterModes.Missing);
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Range, Advice.DontNeed));
        advise.AssertStillBlocked();
        second.ExpectNothingQueued();
        first.ExpectEvent(UserfaultfdEvent.Remove, area.Pages(0, 2));
        second.ExpectEvent(UserfaultfdEvent.Remove, area.Pages(2, 2));
        Expect.Ok(advise.Await());
    }

    [Fact]
    public void Advise_WithoutTheFeature_DoesNotBlock()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(area.At(0));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Ok(Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Range, Advice.DontNeed)).Await());
        monitor.ExpectNothingQueued();
        Assert.Equal(0UL, Bed.Pagemap(area, 0).Value);
    }

    // Not sent by what changes the file, nor by what only moves pages about.
    [Fact]
    public void PunchHoleAndTruncate_Registered_NoEvent()
    {
        (MappedArea area, FaultMonitor monitor) = Populated(MemoryKind.ShmemShared);
        Expect.Ok(Testbed.StartCall("punch", () => area.Backing.PunchHole(0, area.PageBytes)).Await());
        Expect.Ok(Testbed.StartCall("truncate", () => area.Backing.Truncate(0)).Await());
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [InlineData(Advice.Cold)]
    [InlineData(Advice.PageOut)]
    [InlineData(Advice.WillNeed)]
    public void Advise_OtherAdvice_NoEvent(Advice advice)
    {
        (MappedArea area, FaultMonitor monitor) = Populated(MemoryKind.Anonymous);
        Expect.Ok(Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Range, advice)).Await());
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void ProtectAndLock_Registered_NoEvent()
    {
        (MappedArea area, FaultMonitor monitor) = Populated(MemoryKind.Anonymous);
        Expect.Ok(Testbed.StartCall("mprotect", () => Bed.Space.Protect(area.Range, Protections.Read)).Await());
        Expect.Ok(Testbed.StartCall("mlock", () => Bed.Space.Lock(area.Range)).Await());
        monitor.ExpectNothingQueued();
    }

    // A call that fails its checks sends nothing.
    [Fact]
    [Section("10")]
    public void Advise_DontNeedOnLockedMemory_EINVALWithoutEventDontNeedLockedSendsIt()
    {
        (MappedArea area, FaultMonitor monitor) = Populated(MemoryKind.Anonymous);
        Expect.Ok(Bed.Space.Lock(area.Range));
        Expect.Fails(Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Range, Advice.DontNeed)).Await(), Errno.EINVAL);
        monitor.ExpectNothingQueued();
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Range, Advice.DontNeedLocked));
        monitor.ExpectEvent(UserfaultfdEvent.Remove, area.Range);
        Expect.Ok(advise.Await());
    }

    [Theory]
    [InlineData(MemoryKind.Anonymous, Advice.Remove)]
    [InlineData(MemoryKind.ShmemPrivate, Advice.Remove)]
    public void Advise_AdviceThatDoesNotFit_EINVALWithoutEvent(MemoryKind kind, Advice advice)
    {
        (MappedArea area, FaultMonitor monitor) = Populated(kind);
        Assert.True(Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Range, advice)).Await().Errno is Errno.EINVAL or Errno.EACCES);
        monitor.ExpectNothingQueued();
    }

    // MADV_FREE looks at the kind of memory only after the event.
    [Fact]
    public void Advise_FreeOnFileMemory_EventAndThenEINVAL()
    {
        (MappedArea area, FaultMonitor monitor) = Populated(MemoryKind.ShmemShared);
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Range, Advice.Free));
        monitor.ExpectEvent(UserfaultfdEvent.Remove, area.Range);
        Expect.Fails(advise.Await(), Errno.EINVAL);
        Assert.True(Bed.Pagemap(area, 0).IsPresent);
    }

    // the mapping is looked up again after the wait.
    [Fact]
    [Regression(3)]
    public void Advise_UnmappedWhileTheEventIsUnread_ENOMEM()
    {
        (MappedArea area, FaultMonitor monitor) = Populated(MemoryKind.Anonymous);
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Range, Advice.DontNeed));
        advise.AssertStillBlocked();
        Expect.Ok(Testbed.StartCall("munmap", () => Bed.Space.Unmap(area.Range)).Await());
        monitor.ExpectEvent(UserfaultfdEvent.Remove, area.Range);
        Expect.Fails(advise.Await(), Errno.ENOMEM);
    }

    private (MappedArea Area, FaultMonitor Monitor) Populated(MemoryKind kind, int pages = 2)
    {
        MappedArea area = Bed.Map(kind, pages);
        for (int page = 0; page < pages; page++)
        {
            Bed.Store(area.At(page));
        }

        return (area, Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventRemove));
    }
}
