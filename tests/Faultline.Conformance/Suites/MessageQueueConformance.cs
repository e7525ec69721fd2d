using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>How messages queue, and what reading, polling and counting see of them.</summary>
[Section("3.4")]
public abstract class MessageQueueConformance(EngineHost host) : ConformanceSuite(host)
{
    [Fact]
    public void Access_TwoThreadsOnOnePage_TwoMessagesAndOneFillWakesBoth()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        PendingAccess first = Bed.StartLoad(area.At(0));
        PendingAccess second = Bed.StartLoad(area.At(0, 64));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 1)), area.PageBytes);
        Assert.Equal(Pattern.Word(1, 0), first.AwaitValue());
        Assert.Equal(Pattern.Word(1, 64), second.AwaitValue());
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Wake_WithoutResolving_GivesANewMessage()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        PendingAccess load = Bed.StartLoad(area.At(0));
        for (int round = 0; round < 3; round++)
        {
            monitor.ExpectFault(PageFaultFlags.None, area.At(0));
            Expect.Ok(monitor.Uffd.Wake(area.Page(0)));
        }

        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(0)), area.PageBytes);
        Assert.Equal(0UL, load.AwaitValue());
    }

    [Fact]
    [Regression(1)]
    public void Fill_BeforeTheMessageIsRead_TakesItOutOfTheQueue()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.AwaitPending(1);
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(0)), area.PageBytes);
        load.AwaitValue();
        monitor.ExpectNothingQueued();
        Assert.Equal(new UserfaultfdCounts(0, 0), Expect.Ok(monitor.Uffd.GetCounts()));
    }

    [Fact]
    public void Fill_WithoutWakeBeforeTheMessageIsRead_MessageStaysUntilWake()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.AwaitPending(1);
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(0), FillModes.DontWake), area.PageBytes);
        load.AssertStillBlocked();
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Ok(monitor.Uffd.Wake(area.Page(0)));
        load.AwaitValue();
    }

    [Fact]
    public void Read_SeveralFaults_FirstInFirstOutAndManyAtOnce()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        var loads = new PendingAccess[4];
        for (int page = 0; page < 4; page++)
        {
            loads[page] = Bed.StartLoad(area.At(3 - page));
            monitor.AwaitPending(page + 1);
        }

        var messages = new UserfaultfdMessage[3];
        Assert.Equal(3, Expect.Ok(monitor.Uffd.Read(messages)));
        Assert.Equal([area.At(3), area.At(2), area.At(1)], messages.Select(message => message.Address));
        Assert.Equal(1, Expect.Ok(monitor.Uffd.Read(messages)));
        Assert.Equal(area.At(0), messages[0].Address);
        Expect.Filled(monitor.Uffd.Zeropage(area.Range), area.Range.Length);
        Assert.All(loads, load => load.AwaitValue());
    }

    [Fact]
    [Section("3.5")]
    public void Read_NoRoom_EINVAL()
    {
        (_, FaultMonitor monitor) = Watched();
        Expect.Fails(monitor.Uffd.Read([]), Errno.EINVAL);
    }

    [Fact]
    [Section("3.5")]
    public void Read_NothingQueuedOnNonBlocking_EAGAIN()
    {
        (_, FaultMonitor monitor) = Watched();
        Expect.Fails(monitor.Uffd.Read(new UserfaultfdMessage[4]), Errno.EAGAIN);
    }

    [Fact]
    [Section("3.5")]
    public void Read_OnABlockingContext_WaitsForTheFirstMessage()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        IUserfaultfd uffd = Bed.OpenContext(UserfaultfdOptions.CloseOnExec);
        Expect.Ok(uffd.Handshake(UserfaultfdFeatures.None));
        Assert.True(uffd.Register(area.Range, RegisterModes.Missing).IsOk);
        var messages = new UserfaultfdMessage[2];
        PendingWork<SystemResult<int>> read = Testbed.StartCall("blocking read", () => uffd.Read(messages));
        read.AssertStillBlocked();
        PendingAccess load = Bed.StartLoad(area.At(2));
        Assert.Equal(1, Expect.Ok(read.Await()));
        Assert.Equal(area.At(2), messages[0].Address);
        Expect.Filled(uffd.Zeropage(area.Page(2)), area.PageBytes);
        load.AwaitValue();
    }

    [Fact]
    public void Read_TwoReaders_EachMessageGoesToOneOfThem()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        PendingAccess[] loads = [Bed.StartLoad(area.At(0)), Bed.StartLoad(area.At(1))];
        monitor.AwaitPending(2);
        var first = new UserfaultfdMessage[1];
        var second = new UserfaultfdMessage[1];
        PendingWork<SystemResult<int>> other = Testbed.StartCall("read", () => monitor.Uffd.Read(second));
        Assert.Equal(1, Expect.Ok(monitor.Uffd.Read(first)));
        Assert.Equal(1, Expect.Ok(other.Await()));
        Assert.Equal([area.At(0), area.At(1)], new[] { first[0].Address, second[0].Address }.Order());
        monitor.ExpectNothingQueued();
        Expect.Filled(monitor.Uffd.Zeropage(area.Range), area.Range.Length);
        Assert.All(loads, load => load.AwaitValue());
    }

    // 1.2.2: pending counts the unread, total those and the read ones not yet woken.
    [Fact]
    [Section("1.2")]
    public void GetCounts_QueuedReadAndWoken_FollowTheFault()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        Assert.Equal(new UserfaultfdCounts(0, 0), Expect.Ok(monitor.Uffd.GetCounts()));
        PendingAccess first = Bed.StartLoad(area.At(0));
        PendingAccess second = Bed.StartLoad(area.At(1));
        monitor.AwaitPending(2);
        Assert.Equal(new UserfaultfdCounts(2, 2), Expect.Ok(monitor.Uffd.GetCounts()));
        monitor.NextMessage();
        Assert.Equal(new UserfaultfdCounts(1, 2), Expect.Ok(monitor.Uffd.GetCounts()));
        monitor.NextMessage();
        Assert.Equal(new UserfaultfdCounts(0, 2), Expect.Ok(monitor.Uffd.GetCounts()));
        Expect.Filled(monitor.Uffd.Zeropage(area.Range), area.Range.Length);
        first.AwaitValue();
        second.AwaitValue();
        Assert.Equal(new UserfaultfdCounts(0, 0), Expect.Ok(monitor.Uffd.GetCounts()));
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Access_ResolvedFault_CountsAsOneMinorFault(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        IMemoryAccess accessor = Bed.TakeAccessor();
        FaultCounts before = accessor.FaultCounts;
        var load = PendingAccess.Load(accessor, area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 1)), area.PageBytes);
        load.AwaitValue();
        Assert.Equal(new FaultCounts(before.Minor + 1, before.Major), accessor.FaultCounts);
    }

    [Fact]
    [Section("3.5")]
    public void Poll_AfterTheOnlyMessageIsRead_NotReady()
    {
        (MappedArea area, FaultMonitor monitor) = Watched();
        using IUserfaultfdPoller poller = Engine.CreatePoller();
        Expect.Ok(poller.Add(monitor.Uffd, tag: 42));
        long[] ready = new long[1];
        Assert.Equal(0, Expect.Ok(poller.Wait(ready, timeoutMs: 0)));
        PendingAccess load = Bed.StartLoad(area.At(0));
        Assert.Equal(1, Expect.Ok(poller.Wait(ready, (int)Deadline.Normal.TotalMilliseconds)));
        Assert.Equal(42, ready[0]);
        monitor.NextMessage();
        Assert.Equal(0, Expect.Ok(poller.Wait(ready, timeoutMs: 0)));
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(0)), area.PageBytes);
        load.AwaitValue();
        Expect.Ok(poller.Remove(monitor.Uffd));
    }

    [Fact]
    [Section("3.5")]
    public void Poll_StoppedOrWoken_WaitReturnsEarly()
    {
        (_, FaultMonitor monitor) = Watched();
        using IUserfaultfdPoller poller = Engine.CreatePoller();
        Expect.Ok(poller.Add(monitor.Uffd, tag: 1));
        Expect.Fails(poller.Add(monitor.Uffd, tag: 2), Errno.EEXIST);
        PendingWork<SystemResult<int>> wait = Testbed.StartCall("wait", () => poller.Wait(new long[1], timeoutMs: -1));
        poller.Wake();
        Assert.Equal(0, Expect.Ok(wait.Await()));
        wait = Testbed.StartCall("wait", () => poller.Wait(new long[1], timeoutMs: -1));
        poller.Stop();
        Expect.Fails(wait.Await(), Errno.ECANCELED);
        Expect.Fails(poller.Wait(new long[1], timeoutMs: 0), Errno.ECANCELED);
    }

    // 3.4: faults come before events, even when the event was queued first.
    [Fact]
    [Section("9.1")]
    public void Read_FaultQueuedAfterAnEvent_ComesFirst()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventRemove);
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Page(3), Advice.DontNeed));
        advise.AssertStillBlocked();
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.AwaitPending(1);
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        monitor.ExpectEvent(UserfaultfdEvent.Remove, area.Page(3));
        Expect.Ok(advise.Await());
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(0)), area.PageBytes);
        load.AwaitValue();
    }

    private (MappedArea Area, FaultMonitor Monitor) Watched()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        return (area, Bed.Watch(area, RegisterModes.Missing));
    }
}
