using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Asynchronous write-protection: no messages; a store clears the bit by itself.</summary>
[Section("8.5")]
public abstract class AsyncWriteProtectConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Store_ProtectedPage_ClearsTheBitWithOneFaultAndNoMessage(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Protected(kind, present: true);
        Assert.Equal(1, Bed.CountStoreFaults(area.At(0)).Minor);
        Assert.True(Bed.Pagemap(area, 0) is { IsPresent: true, IsUserfaultfdWriteProtected: false });
        Assert.Equal(1UL, Bed.Load(area.At(0)));
        Assert.Equal(0, Bed.CountStoreFaults(area.At(0)).Minor);
        monitor.ExpectNothingQueued();
    }

    // WP_ASYNC switches WP_UNPOPULATED on: an absent anonymous page gets a marker.
    [Theory]
    [Section("1.3")]
    [MemberData(nameof(MemoryKinds.Small), MemberType = typeof(MemoryKinds))]
    public void Store_Marker_ClearsItWithTwoFaultsAndNoMessage(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Protected(kind, present: false);
        Assert.True(Bed.Pagemap(area, 0) is { IsPresent: false, IsUserfaultfdWriteProtected: true });
        Assert.Equal(2, Bed.CountStoreFaults(area.At(0)).Minor);
        Assert.True(Bed.Pagemap(area, 0) is { IsPresent: true, IsUserfaultfdWriteProtected: false });
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Load_ProtectedPage_KeepsTheBit(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Protected(kind, present: true);
        Assert.Equal(7UL, Bed.Load(area.At(0)));
        Assert.True(Bed.IsProtected(area, 0));
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void KernelStore_ProtectedPage_ClearsTheBit()
    {
        (MappedArea area, FaultMonitor monitor) = Protected(MemoryKind.Anonymous, present: true);
        IMemoryAccess kernel = Bed.Own(Expect.Ok(Bed.Space.OpenAccess(AccessMode.Kernel)));
        PendingAccess.Store(kernel, area.At(0), 3).AwaitValue();
        Assert.False(Bed.IsProtected(area, 0));
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Unprotect_Protected_StaysLegal(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Protected(kind, present: true);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        Assert.False(Bed.IsProtected(area, 0));
    }

    // MISSING messages still flow beside asynchronous protection.
    [Fact]
    public void Access_MissingAndAsync_MissingMessageThenTheBitClearsByItself()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectAsync);
        PendingAccess store = Bed.StartStore(area.At(0), 5);
        monitor.ExpectFault(PageFaultFlags.Write, area.At(0));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Small, 1), FillModes.WriteProtect), PageSize.Small);
        store.AwaitValue();
        Assert.True(Bed.Pagemap(area, 0) is { IsPresent: true, IsUserfaultfdWriteProtected: false });
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Store_ProtectedPageSharedByFork_CopiesAndClears()
    {
        (MappedArea area, FaultMonitor monitor) = Protected(MemoryKind.Anonymous, present: true);
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        Bed.Store(area.At(0), 9);
        Assert.False(Bed.IsProtected(area, 0));
        IMemoryAccess access = Bed.Own(Expect.Ok(child.OpenAccess()));
        Assert.Equal(7UL, PendingAccess.Load(access, area.At(0)).AwaitValue());
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Store_ProtectedSwapEntry_SwapsInAndClears()
    {
        (MappedArea area, FaultMonitor monitor) = Protected(MemoryKind.Anonymous, present: true);
        Bed.SwapOut(area.Range);
        Assert.True(Bed.Pagemap(area, 0) is { IsSwap: true, IsUserfaultfdWriteProtected: true });
        Bed.Store(area.At(0), 9);
        Assert.True(Bed.Pagemap(area, 0) is { IsPresent: true, IsUserfaultfdWriteProtected: false });
        monitor.ExpectNothingQueued();
    }

    // A protected huge mapping is split, so that just 4 KiB turns out written.
    [Fact]
    [Section("8.4")]
    public void Store_ProtectedHugeMapping_SplitsAndClearsOnePage()
    {
        MappedArea area = Bed.MapAnonymous((int)(PageSize.Huge / PageSize.Small));
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.HugePage));
        Bed.Store(area.At(0));
        Testbed.SkipIf(Bed.Vma(area.Range).AnonymousHuge == PageSize.Huge ? null : "The engine gave no transparent huge page (see /sys/kernel/mm/transparent_hugepage/enabled).");
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectAsync);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).AnonymousHuge);
        Bed.Store(area.At(77));
        Assert.Equal([77], Enumerable.Range(0, area.PageTotal).Where(page => !Bed.IsProtected(area, page)));
        monitor.ExpectNothingQueued();
    }

    // Locked private memory that becomes writable gets its pages by a write in that very call; only synchronous protection stops that.
    [Theory]
    [InlineData(MemoryKind.Anonymous, UserfaultfdFeatures.WriteProtectAsync)]
    [InlineData(MemoryKind.ShmemPrivate, UserfaultfdFeatures.WriteProtectAsync)]
    [InlineData(MemoryKind.Anonymous, UserfaultfdFeatures.WriteProtectUnpopulated)]
    [InlineData(MemoryKind.ShmemPrivate, UserfaultfdFeatures.WriteProtectUnpopulated)]
    public void Protect_LockedPageBecomesWritable_ClearsTheBitUnlessSynchronous(MemoryKind kind, UserfaultfdFeatures features)
    {
        MappedArea area = Bed.Map(kind, pages: 2, Protections.Read);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect, features);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Expect.Ok(Bed.Space.Lock(area.Range));
        Assert.True(Bed.IsProtected(area, 0));
        Expect.Ok(Bed.Space.Protect(area.Range, Protections.ReadWrite));
        bool isSynchronous = features == UserfaultfdFeatures.WriteProtectUnpopulated;
        for (int page = 0; page < area.PageTotal; page++)
        {
            PagemapEntry entry = Bed.Pagemap(area, page);
            Assert.Equal(isSynchronous, entry.IsUserfaultfdWriteProtected);
            Assert.Equal(isSynchronous && kind == MemoryKind.ShmemPrivate, entry.IsFile);
        }

        monitor.ExpectNothingQueued();
    }

    private (MappedArea Area, FaultMonitor Monitor) Protected(MemoryKind kind, bool present)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        if (present)
        {
            Bed.Store(area.At(0), 7);
        }

        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectAsync);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.True(Bed.IsProtected(area, 0));
        return (area, monitor);
    }
}
