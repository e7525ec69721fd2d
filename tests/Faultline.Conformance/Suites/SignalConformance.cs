using Xunit;

namespace Faultline.Conformance;

/// <summary>Waiters and signals, the SIGBUS feature, and contexts for user mode only.</summary>
[Section("3.6")]
public abstract class SignalConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Interrupt_WaiterWithReadMessage_ANewMessageAppears(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        load.Accessor.Interrupt();
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        load.AssertStillBlocked();
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 1)), area.PageBytes);
        Assert.Equal(Pattern.Word(1, 0), load.AwaitValue());
    }

    [Fact]
    public void Interrupt_WaiterWithUnreadMessage_OneMessageStaysQueued()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.AwaitPending(1);
        load.Accessor.Interrupt();
        load.AssertStillBlocked();
        monitor.AwaitPending(1);
        Assert.Equal(1, Expect.Ok(monitor.Uffd.GetCounts()).Total);
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(0)), area.PageBytes);
        load.AwaitValue();
    }

    [Fact]
    public void Interrupt_StaleMessageResolvedTwice_SecondCopyEEXIST()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingAccess load = Bed.StartLoad(area.At(0));
        UserfaultfdMessage first = monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        load.Accessor.Interrupt();
        UserfaultfdMessage second = monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        byte[] page = Pattern.Bytes(area.PageBytes, 1);
        Expect.Filled(monitor.Uffd.Copy(first.Address, page), area.PageBytes);
        load.AwaitValue();
        Expect.Fails(monitor.Uffd.Copy(second.Address, page), Errno.EEXIST);
    }

    [Fact]
    public void Interrupt_WriteProtectWaiter_ANewMessageAppears()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(area.At(0));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(0), WriteProtectModes.Protect));
        PendingAccess store = Bed.StartStore(area.At(0), 2);
        monitor.ExpectFault(PageFaultFlags.Write | PageFaultFlags.WriteProtect, area.At(0));
        store.Accessor.Interrupt();
        monitor.ExpectFault(PageFaultFlags.Write | PageFaultFlags.WriteProtect, area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(0), WriteProtectModes.None));
        store.AwaitValue();
    }

    // 3.3.2: with the SIGBUS feature a fault is a bus error at the exact byte, and nothing is queued.
    [Theory]
    [Section("3.3")]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void AccessMissing_SigBusFeature_BusErrorAtTheByteAndNoMessage(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.SigBus);
        Assert.Equal(area.At(0, 0x128), Bed.LoadFails(area.At(0, 0x128), AccessFault.BusError).Address);
        Bed.StoreFails(area.At(0), AccessFault.BusError);
        monitor.ExpectNothingQueued();
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 2)), area.PageBytes);
        Assert.Equal(Pattern.Word(2, 0x128), Bed.Load(area.At(0, 0x128)));
    }

    [Theory]
    [Section("3.3")]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void AccessMinor_SigBusFeature_BusErrorAndContinueResolves(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor, UserfaultfdFeatures.SigBus);
        Bed.LoadFails(area.At(0), AccessFault.BusError);
        Expect.Filled(monitor.Uffd.Continue(area.Page(0)), area.PageBytes);
        Assert.Equal(Pattern.Word(0, 0), Bed.Load(area.At(0)));
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [Section("3.3")]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void StoreProtected_SigBusFeature_BusErrorAndUnprotectResolves(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.Store(area.At(0), 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect, UserfaultfdFeatures.SigBus);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.Equal(1UL, Bed.Load(area.At(0)));
        Bed.StoreFails(area.At(0), AccessFault.BusError);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        Bed.Store(area.At(0), 2);
        monitor.ExpectNothingQueued();
    }

    // 3.3.2 and 3.3.3: what the kernel does on the program's behalf fails in both kinds of context.
    [Theory]
    [Section("3.3")]
    [InlineData(UserfaultfdFeatures.SigBus, UserfaultfdOptions.None)]
    [InlineData(UserfaultfdFeatures.None, UserfaultfdOptions.UserModeOnly)]
    public void KernelAccessMissing_SigBusOrUserModeOnly_FailsWithoutMessage(UserfaultfdFeatures features, UserfaultfdOptions options)
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Open(features, options | UserfaultfdOptions.NonBlocking);
        monitor.Register(area.Range, RegisterModes.Missing);
        Assert.Equal(Errno.EFAULT, Testbed.StartCall("populate", () => Bed.Space.Advise(area.Page(0), Advice.PopulateRead)).Await().Errno);
        Assert.Equal(Errno.EFAULT, Testbed.StartCall("populate", () => Bed.Space.Advise(area.Page(0), Advice.PopulateWrite)).Await().Errno);
        Assert.Equal(Errno.ENOMEM, Testbed.StartCall("mlock", () => Bed.Space.Lock(area.Page(0))).Await().Errno);
        using IMemoryAccess kernel = Expect.Ok(Bed.Space.OpenAccess(AccessMode.Kernel));
        PendingAccess.Load(kernel, area.At(0)).AwaitFault(AccessFault.BadAddress);
        PendingAccess.Store(kernel, area.At(0), 1).AwaitFault(AccessFault.BadAddress);
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [Section("3.3")]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void UserAccessMissing_UserModeOnly_GivesAMessage(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Open(options: UserfaultfdOptions.UserModeOnly | UserfaultfdOptions.NonBlocking);
        monitor.Register(area.Range, RegisterModes.Missing);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 1)), area.PageBytes);
        load.AwaitValue();
    }

    // 3.6: waiters of the kernel on the program's behalf, and the flags they carry.
    [Theory]
    [InlineData(Advice.PopulateRead, PageFaultFlags.None)]
    [InlineData(Advice.PopulateWrite, PageFaultFlags.Write)]
    public void Populate_MissingPage_WaitsForTheMonitor(Advice advice, PageFaultFlags flags)
    {
        Bed.NeedKernelFaults();
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingWork<SystemResult> populate = Testbed.StartCall("populate", () => Bed.Space.Advise(area.Page(1), advice));
        monitor.ExpectFault(flags, area.At(1));
        populate.AssertStillBlocked();
        Expect.Filled(monitor.Uffd.Copy(area.At(1), Pattern.Bytes(area.PageBytes, 1)), area.PageBytes);
        Expect.Ok(populate.Await());
    }

    [Fact]
    public void PopulateWrite_ProtectedPage_WriteProtectMessage()
    {
        Bed.NeedKernelFaults();
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(area.At(0));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(0), WriteProtectModes.Protect));
        PendingWork<SystemResult> populate = Testbed.StartCall("populate", () => Bed.Space.Advise(area.Page(0), Advice.PopulateWrite));
        monitor.ExpectFault(PageFaultFlags.Write | PageFaultFlags.WriteProtect, area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(0), WriteProtectModes.None));
        Expect.Ok(populate.Await());
    }

    [Fact]
    public void PopulateRead_ProtectedPage_NoMessage()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(area.At(0));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(0), WriteProtectModes.Protect));
        Expect.Ok(Testbed.StartCall("populate", () => Bed.Space.Advise(area.Page(0), Advice.PopulateRead)).Await());
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Lock_MissingPage_WaitsForTheMonitorWithAWriteFault()
    {
        Bed.NeedKernelFaults();
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingWork<SystemResult> call = Testbed.StartCall("mlock", () => Bed.Space.Lock(area.Page(0)));
        monitor.ExpectFault(PageFaultFlags.Write, area.At(0));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 1)), area.PageBytes);
        Expect.Ok(call.Await());
        Assert.True(Bed.Vma(area.Page(0)).IsLocked);
    }

    [Fact]
    public void KernelAccess_MissingPage_WaitsForTheMonitor()
    {
        Bed.NeedKernelFaults();
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        IMemoryAccess kernel = Bed.Own(Expect.Ok(Bed.Space.OpenAccess(AccessMode.Kernel)));
        var load = PendingAccess.Load(kernel, area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        load.AssertStillBlocked();
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 1)), area.PageBytes);
        Assert.Equal(Pattern.Word(1, 0), load.AwaitValue());
        var store = PendingAccess.Store(kernel, area.At(1), 5);
        monitor.ExpectFault(PageFaultFlags.Write, area.At(1));
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(1)), area.PageBytes);
        store.AwaitValue();
        Assert.Equal(5UL, Bed.Load(area.At(1)));
    }

    [Fact]
    [Section("8.2")]
    public void KernelStore_ProtectedPage_WriteProtectMessage()
    {
        Bed.NeedKernelFaults();
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(area.At(0));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(0), WriteProtectModes.Protect));
        IMemoryAccess kernel = Bed.Own(Expect.Ok(Bed.Space.OpenAccess(AccessMode.Kernel)));
        var store = PendingAccess.Store(kernel, area.At(0), 5);
        monitor.ExpectFault(PageFaultFlags.Write | PageFaultFlags.WriteProtect, area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(0), WriteProtectModes.None));
        store.AwaitValue();
    }

    // 4.6: how the kernel sees a poisoned page.
    [Fact]
    [Section("4.6")]
    public void Populate_PoisonedPage_EHWPOISONAndLockENOMEM()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), area.PageBytes);
        Expect.Fails(Bed.Space.Advise(area.Page(0), Advice.PopulateRead), Errno.EHWPOISON);
        Expect.Fails(Bed.Space.Lock(area.Page(0)), Errno.ENOMEM);
    }
}
