using Xunit;

namespace Faultline.Conformance;

/// <summary>The FORK event: the child's context arrives with the message.</summary>
[Section("9.5")]
public abstract class EventForkConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Fork_Registered_BlocksUntilReadAndTheChildKeepsItsModes(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect, UserfaultfdFeatures.EventFork);
        PendingWork<SystemResult<IAddressSpace>> fork = Testbed.StartCall("fork", Bed.Space.Fork);
        fork.AssertStillBlocked();
        (IAddressSpace child, _) = Finish(monitor, fork);
        Assert.Equal(RegisterModes.Missing | RegisterModes.WriteProtect, Assert.Single(Expect.Ok(child.Inspector.GetMappings(area.Range))).RegisteredModes);
        Assert.Equal(RegisterModes.Missing | RegisterModes.WriteProtect, Bed.Vma(area.Range).RegisteredModes);
    }

    [Fact]
    public void Forked_Context_IsInitialisedWithTheSameFeatures()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(UserfaultfdFeatures.ThreadId | UserfaultfdFeatures.ExactAddress);
        (IAddressSpace child, FaultMonitor ofChild) = Finish(monitor, Testbed.StartCall("fork", Bed.Space.Fork));
        Expect.Fails(ofChild.Uffd.Handshake(UserfaultfdFeatures.None), Errno.EINVAL);
        Assert.Equal(monitor.Uffd.Features, ofChild.Uffd.Features);
        IMemoryAccess access = Bed.Own(Expect.Ok(child.OpenAccess()));
        var load = PendingAccess.Load(access, area.At(0, 0x18));
        Assert.Equal(access.ThreadId, ofChild.ExpectFault(PageFaultFlags.None, area.At(0, 0x18)).ThreadId);
        Expect.Filled(ofChild.Uffd.Zeropage(area.Page(0)), PageSize.Small);
        load.AwaitValue();
    }

    // A fault of the child goes to the child's context; its fill fills the child alone.
    [Theory]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemPrivate)]
    [InlineData(MemoryKind.ShmemShared)]
    public void Fault_InTheChild_GoesToTheChildsContext(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventFork);
        (IAddressSpace child, FaultMonitor ofChild) = Finish(monitor, Testbed.StartCall("fork", Bed.Space.Fork));
        var load = PendingAccess.Load(Bed.Own(Expect.Ok(child.OpenAccess())), area.At(1));
        ofChild.ExpectFault(PageFaultFlags.None, area.At(1));
        monitor.ExpectNothingQueued();
        Expect.Filled(ofChild.Uffd.Copy(area.At(1), Pattern.Bytes(PageSize.Small, 6)), PageSize.Small);
        Assert.Equal(Pattern.Word(6, 0), load.AwaitValue());
        Assert.False(Bed.Pagemap(area, 1).IsPresent);
        Assert.True(Testbed.PagemapOf(child, area.At(1)).IsPresent);
    }

    [Fact]
    public void Fault_InTheParentAfterwards_GoesToTheParentsContext()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        (_, FaultMonitor ofChild) = Finish(monitor, Testbed.StartCall("fork", Bed.Space.Fork));
        PendingAccess load = Bed.StartLoad(area.At(1));
        monitor.ExpectFault(PageFaultFlags.None, area.At(1));
        ofChild.ExpectNothingQueued();
        Expect.Filled(monitor.Retry(uffd => uffd.Zeropage(area.Page(1))), PageSize.Small);
        load.AwaitValue();
    }

    [Fact]
    public void Fork_WithoutTheFeature_ChildIsUnregisteredAndReadsZero()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(area.At(0), 5);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Testbed.StartCall("fork", Bed.Space.Fork).Await()));
        Assert.Equal(RegisterModes.None, Assert.Single(Expect.Ok(child.Inspector.GetMappings(area.Range))).RegisteredModes);
        IMemoryAccess access = Bed.Own(Expect.Ok(child.OpenAccess()));
        Assert.Equal(5UL, PendingAccess.Load(access, area.At(0)).AwaitValue());
        Assert.Equal(0UL, PendingAccess.Load(access, area.At(1)).AwaitValue());
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Fork_TwoContexts_OneEventEach()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor first = Bed.Open(UserfaultfdFeatures.EventFork);
        FaultMonitor second = Bed.Open(UserfaultfdFeatures.EventFork);
        first.Register(area.Pages(0, 2), RegisterModes.Missing);
        second.Register(area.Pages(2, 2), RegisterModes.Missing);
        PendingWork<SystemResult<IAddressSpace>> fork = Testbed.StartCall("fork", Bed.Space.Fork);
        Bed.Own(ExpectFork(first));
        Bed.Own(ExpectFork(second));
        Bed.OwnSpace(Expect.Ok(fork.Await()));
        first.ExpectNothingQueued();
        second.ExpectNothingQueued();
    }

    [Fact]
    public void Fork_AllRangesDontFork_NoEvent()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.DontFork));
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Testbed.StartCall("fork", Bed.Space.Fork).Await()));
        monitor.ExpectNothingQueued();
        Assert.Empty(Expect.Ok(child.Inspector.GetMappings(area.Range)));
    }

    [Fact]
    public void Fork_WipeOnForkRange_StillAnEvent()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Small, 1)), PageSize.Small);
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.WipeOnFork));
        (IAddressSpace child, _) = Finish(monitor, Testbed.StartCall("fork", Bed.Space.Fork));
        Assert.False(Testbed.PagemapOf(child, area.At(0)).IsPresent);
    }

    // 9.1: as long as the event is pending fills are put off.
    [Fact]
    [Section("9.1")]
    public void Fill_WhileTheForkEventIsUnread_EAGAIN()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        PendingWork<SystemResult<IAddressSpace>> fork = Testbed.StartCall("fork", Bed.Space.Fork);
        fork.AssertStillBlocked();
        Expect.Fails(monitor.Uffd.Zeropage(area.Page(0)), Errno.EAGAIN);
        Finish(monitor, fork);
        Expect.Filled(monitor.Retry(uffd => uffd.Zeropage(area.Page(0))), PageSize.Small);
    }

    // 9.6: the child's end says nothing on its context, and its memory is gone.
    [Fact]
    [Section("9.6")]
    public void Exit_OfTheChild_NothingToReadAndFillsESRCH()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        (IAddressSpace child, FaultMonitor ofChild) = Finish(monitor, Testbed.StartCall("fork", Bed.Space.Fork));
        child.Dispose();
        ofChild.ExpectNothingQueued();
        Expect.Refused(ofChild.Uffd.Zeropage(area.Page(0)), Errno.ESRCH);
    }

    [Fact]
    [Regression(2)]
    public void Close_WhileForkEventsAreUnread_ForksFinishAndChildrenAreUnregistered()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        for (int round = 0; round < 5; round++)
        {
            FaultMonitor other = Bed.Open(UserfaultfdFeatures.EventFork);
            MappedArea mine = Bed.Map(MemoryKind.Anonymous);
            other.Register(mine.Range, RegisterModes.Missing);
            Expect.Ok(Bed.Space.Advise(area.Range, Advice.DontFork));
            PendingWork<SystemResult<IAddressSpace>> fork = Testbed.StartCall("fork", Bed.Space.Fork);
            fork.AssertStillBlocked();
            other.Dispose();
            IAddressSpace child = Bed.OwnSpace(Expect.Ok(fork.Await()));
            Assert.Equal(RegisterModes.None, Assert.Single(Expect.Ok(child.Inspector.GetMappings(mine.Range))).RegisteredModes);
            child.Dispose();
        }

        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Fork_OfAForkedChild_ItsContextGetsTheEvent()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        (IAddressSpace child, FaultMonitor ofChild) = Finish(monitor, Testbed.StartCall("fork", Bed.Space.Fork));
        (IAddressSpace grandchild, FaultMonitor ofGrandchild) = Finish(ofChild, Testbed.StartCall("fork", child.Fork));
        monitor.ExpectNothingQueued();
        var load = PendingAccess.Load(Bed.Own(Expect.Ok(grandchild.OpenAccess())), area.At(0));
        ofGrandchild.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(ofGrandchild.Uffd.Zeropage(area.Page(0)), PageSize.Small);
        load.AwaitValue();
    }

    private static IUserfaultfd ExpectFork(FaultMonitor monitor)
    {
        UserfaultfdMessage message = monitor.NextMessage();
        Assert.Equal(UserfaultfdEvent.Fork, message.Event);
        Assert.NotNull(message.Forked);
        return message.Forked;
    }

    private (IAddressSpace Child, FaultMonitor Monitor) Finish(FaultMonitor monitor, PendingWork<SystemResult<IAddressSpace>> fork)
    {
        IUserfaultfd forked = ExpectFork(monitor);
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(fork.Await()));
        return (child, Bed.Own(new FaultMonitor(Engine, forked)));
    }

    private (MappedArea Area, FaultMonitor Monitor) Watched(UserfaultfdFeatures features = UserfaultfdFeatures.None)
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        return (area, Bed.Watch(area, RegisterModes.Missing, features | UserfaultfdFeatures.EventFork));
    }
}
