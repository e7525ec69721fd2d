using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>UFFDIO_WRITEPROTECT: its checks, what it does to each kind of entry, and the faults that follow.</summary>
[Section("4.8")]
public abstract class WriteProtectConformance(EngineHost host) : ConformanceSuite(host)
{
    private const PageFaultFlags WriteProtected = PageFaultFlags.Write | PageFaultFlags.WriteProtect;

    [Theory]
    [MemberData(nameof(BadRanges.All), MemberType = typeof(BadRanges))]
    public void WriteProtect_BadRange_EINVAL(BadRange bad)
    {
        (MappedArea area, FaultMonitor monitor) = Populated(MemoryKind.Anonymous);
        Expect.Fails(monitor.Uffd.WriteProtect(bad.Of(area.Range), WriteProtectModes.Protect), Errno.EINVAL);
    }

    [Theory]
    [InlineData(3UL)]
    [InlineData(4UL)]
    [InlineData(1UL << 63)]
    public void WriteProtect_UnknownModeOrProtectWithDontWake_EINVAL(ulong modes)
    {
        (MappedArea area, FaultMonitor monitor) = Populated(MemoryKind.Anonymous);
        Expect.Fails(monitor.Uffd.WriteProtect(area.Range, (WriteProtectModes)modes), Errno.EINVAL);
        Assert.False(Bed.IsProtected(area, 0));
    }

    [Fact]
    public void WriteProtect_NothingMapped_ENOENT() =>
        Expect.Fails(Bed.Open().Uffd.WriteProtect(new(Bed.NextPlace(), PageSize.Small), WriteProtectModes.Protect), Errno.ENOENT);

    [Theory]
    [InlineData(RegisterModes.Missing)]
    [InlineData(RegisterModes.Minor)]
    [InlineData(RegisterModes.None)]
    public void WriteProtect_WithoutThatMode_ENOENT(RegisterModes modes)
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared);
        FaultMonitor monitor = Bed.Open();
        if (modes != RegisterModes.None)
        {
            monitor.Register(area.Range, modes);
        }

        Expect.Fails(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect), Errno.ENOENT);
    }

    [Fact]
    public void WriteProtect_LaterMappingNotRegistered_ENOENTAndEarlierStaysProtected()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.WriteBytes(area.At(0), Pattern.Bytes(area.Range.Length, 1));
        FaultMonitor monitor = Bed.Open();
        monitor.Register(area.Pages(0, 2), RegisterModes.WriteProtect);
        Expect.Fails(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect), Errno.ENOENT);
        Assert.Equal([true, true, false, false], Enumerable.Range(0, 4).Select(page => Bed.IsProtected(area, page)));
    }

    [Fact]
    public void WriteProtect_AcrossMappingsAndHoles_ProtectsAll()
    {
        MappedArea area = Bed.MapAnonymous(pages: 5);
        Bed.WriteBytes(area.At(0), Pattern.Bytes(area.Range.Length, 1));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(Bed.Space.Unmap(area.Page(2)));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.Equal([true, true, false, true, true], Enumerable.Range(0, 5).Select(page => Bed.IsProtected(area, page)));
    }

    [Theory]
    [Section("7")]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void WriteProtect_PartOfAHugetlbPage_EINVAL(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Populated(kind);
        Expect.Fails(monitor.Uffd.WriteProtect(area.Range.Slice(PageSize.Small, PageSize.Small), WriteProtectModes.Protect), Errno.EINVAL);
        Expect.Fails(monitor.Uffd.WriteProtect(area.Range.Slice(0, PageSize.Small), WriteProtectModes.Protect), Errno.EINVAL);
    }

    // 4.2: as with fills, the context that registered the memory is not checked.
    [Fact]
    [Section("4.2")]
    public void WriteProtect_ByAnotherContext_Succeeds()
    {
        (MappedArea area, FaultMonitor monitor) = Populated(MemoryKind.Anonymous);
        Expect.Ok(Bed.Open().Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        PendingAccess store = Bed.StartStore(area.At(0));
        monitor.ExpectFault(WriteProtected, area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        store.AwaitValue();
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void WriteProtect_OnePage_LeavesItsNeighbours(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Populated(kind, pages: 3);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(1), WriteProtectModes.Protect));
        Assert.Equal([false, true, false], Enumerable.Range(0, 3).Select(page => Bed.IsProtected(area, page)));
        Bed.Store(area.At(0), 2);
        Bed.Store(area.At(2), 2);
        monitor.ExpectNothingQueued();
        Assert.True(Bed.Pagemap(area, 1) is { IsPresent: true, IsUserfaultfdWriteProtected: true });
    }

    // Permission is restored eagerly: no fault on a page that is exclusively owned and dirty.
    [Theory]
    [MemberData(nameof(MemoryKinds.Private), MemberType = typeof(MemoryKinds))]
    public void Unprotect_OwnDirtyPage_NextStoreTakesNoFault(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Populated(kind);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        Assert.False(Bed.IsProtected(area, 0));
        Assert.Equal(kind.IsHugetlb() ? 1 : 0, Bed.CountStoreFaults(area.At(0)).Minor);
    }

    [Fact]
    public void WriteProtect_WhileAWaiterSleeps_NeverWakes()
    {
        (MappedArea area, FaultMonitor monitor) = Populated(MemoryKind.Anonymous);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        PendingAccess store = Bed.StartStore(area.At(0));
        monitor.ExpectFault(WriteProtected, area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        store.AssertStillBlocked();
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.DontWake));
        store.AssertStillBlocked();
        Assert.False(Bed.IsProtected(area, 0));
        Expect.Ok(monitor.Uffd.Wake(area.Range));
        store.AwaitValue();
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Unprotect_Waiter_WakesAndTheStoreIsMade(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Populated(kind);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        PendingAccess store = Bed.StartStore(area.At(0), 0xABCD);
        monitor.ExpectFault(WriteProtected, area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        store.AwaitValue();
        Assert.Equal(0xABCDUL, Bed.Load(area.At(0)));
        monitor.ExpectNothingQueued();
    }

    // 8.1: absent pages: ignored on anonymous memory unless WP_UNPOPULATED; a marker everywhere else.
    [Theory]
    [Section("8.1")]
    [InlineData(MemoryKind.Anonymous, UserfaultfdFeatures.None, false)]
    [InlineData(MemoryKind.Anonymous, UserfaultfdFeatures.WriteProtectUnpopulated, true)]
    [InlineData(MemoryKind.ShmemShared, UserfaultfdFeatures.None, true)]
    [InlineData(MemoryKind.ShmemPrivate, UserfaultfdFeatures.None, true)]
    [InlineData(MemoryKind.HugetlbShared, UserfaultfdFeatures.None, true)]
    [InlineData(MemoryKind.HugetlbPrivate, UserfaultfdFeatures.None, true)]
    public void WriteProtect_AbsentPage_MarkerOrNothing(MemoryKind kind, UserfaultfdFeatures features, bool marked)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect, features);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        PagemapEntry entry = Bed.Pagemap(area, 0);
        Assert.Equal((false, marked), (entry.IsPresent, entry.IsUserfaultfdWriteProtected));
        Assert.Equal(marked && !kind.IsHugetlb(), entry.IsSwap);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        Assert.Equal(0UL, Bed.Pagemap(area, 0).Value);
    }

    [Theory]
    [Section("8.1")]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemPrivate)]
    public void WriteProtect_ZeroPage_Protected(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect);
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(0)), PageSize.Small);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.True(Bed.Pagemap(area, 0) is { IsPresent: true, IsUserfaultfdWriteProtected: true });
        Assert.Equal(0UL, Bed.Load(area.At(0)));
        PendingAccess store = Bed.StartStore(area.At(0), 3);
        monitor.ExpectFault(WriteProtected, area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        store.AwaitValue();
        Assert.Equal(3UL, Bed.Load(area.At(0)));
    }

    [Fact]
    [Section("8.1")]
    public void WriteProtect_SwapEntry_BitInTheEntryAndAfterSwapIn()
    {
        (MappedArea area, FaultMonitor monitor) = Populated(MemoryKind.Anonymous);
        Bed.SwapOut(area.Range);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.True(Bed.Pagemap(area, 0) is { IsSwap: true, IsUserfaultfdWriteProtected: true });
        Bed.Load(area.At(0));
        Assert.True(Bed.Pagemap(area, 0) is { IsPresent: true, IsUserfaultfdWriteProtected: true });
        monitor.ExpectNothingQueued();
    }

    [Fact]
    [Section("8.1")]
    public void WriteProtect_PoisonMarker_StaysPoison()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), PageSize.Small);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Bed.LoadPoisoned(area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        Bed.LoadPoisoned(area.At(0));
    }

    // 8.2: reading through a marker maps a protected page.
    [Theory]
    [Section("8.2")]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemShared)]
    [InlineData(MemoryKind.ShmemPrivate)]
    [InlineData(MemoryKind.HugetlbShared)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void Load_Marker_MapsAProtectedPage(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Marked(kind, RegisterModes.WriteProtect);
        Assert.Equal(0UL, Bed.Load(area.At(0)));
        Assert.True(Bed.Pagemap(area, 0) is { IsPresent: true, IsUserfaultfdWriteProtected: true });
        monitor.ExpectNothingQueued();
        PendingAccess store = Bed.StartStore(area.At(0), 5);
        monitor.ExpectFault(WriteProtected, area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        store.AwaitValue();
        Assert.Equal(5UL, Bed.Load(area.At(0)));
    }

    [Theory]
    [Section("8.2")]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Store_MarkerWithoutMissing_WriteProtectMessageWithThePagePresent(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Marked(kind, RegisterModes.WriteProtect);
        PendingAccess store = Bed.StartStore(area.At(0), 5);
        monitor.ExpectFault(WriteProtected, area.At(0));
        Assert.True(Bed.Pagemap(area, 0) is { IsPresent: true, IsUserfaultfdWriteProtected: true });
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        store.AwaitValue();
    }

    [Theory]
    [Section("8.2")]
    [InlineData(MemoryKind.Anonymous, true)]
    [InlineData(MemoryKind.Anonymous, false)]
    [InlineData(MemoryKind.ShmemShared, true)]
    [InlineData(MemoryKind.ShmemShared, false)]
    [InlineData(MemoryKind.ShmemPrivate, true)]
    [InlineData(MemoryKind.HugetlbShared, true)]
    [InlineData(MemoryKind.HugetlbPrivate, false)]
    public void Store_MarkerWithMissing_MissingFirstThenWriteProtectIfCopiedProtected(MemoryKind kind, bool keep)
    {
        (MappedArea area, FaultMonitor monitor) = Marked(kind, RegisterModes.WriteProtect | RegisterModes.Missing);
        PendingAccess store = Bed.StartStore(area.At(0), 5);
        monitor.ExpectFault(PageFaultFlags.Write, area.At(0));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 1), keep ? FillModes.WriteProtect : FillModes.None), area.PageBytes);
        if (keep)
        {
            monitor.ExpectFault(WriteProtected, area.At(0));
            Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        }

        store.AwaitValue();
        monitor.ExpectNothingQueued();
        Assert.Equal(5UL, Bed.Load(area.At(0)));
    }

    [Theory]
    [Section("8.2")]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void Store_MarkerOverCachedPageWithMinor_MinorFirstThenWriteProtect(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect | RegisterModes.Minor);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        PendingAccess store = Bed.StartStore(area.At(0), 5);
        monitor.ExpectFault(PageFaultFlags.Write | PageFaultFlags.Minor, area.At(0));
        Expect.Filled(monitor.Uffd.Continue(area.Page(0), FillModes.WriteProtect), area.PageBytes);
        monitor.ExpectFault(WriteProtected, area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        store.AwaitValue();
    }

    private (MappedArea Area, FaultMonitor Monitor) Populated(MemoryKind kind, int pages = 1)
    {
        MappedArea area = Bed.Map(kind, pages);
        for (int page = 0; page < pages; page++)
        {
            Bed.Store(area.At(page));
        }

        return (area, Bed.Watch(area, RegisterModes.WriteProtect));
    }

    private (MappedArea Area, FaultMonitor Monitor) Marked(MemoryKind kind, RegisterModes modes)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, modes, UserfaultfdFeatures.WriteProtectUnpopulated);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.True(Bed.IsProtected(area, 0));
        return (area, monitor);
    }
}
