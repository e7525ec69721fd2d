using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>UFFDIO_CONTINUE: maps what the page cache holds, and nothing else.</summary>
[Section("4.5")]
public abstract class ContinueConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void Continue_CachedPages_MapsThemAndSecondTimeEEXIST(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Cached(kind);
        Expect.Filled(monitor.Uffd.Continue(area.Range), area.Range.Length);
        for (int page = 0; page < area.PageTotal; page++)
        {
            Bed.AssertPattern(area, page, (ulong)page);
        }

        Expect.Fails(monitor.Uffd.Continue(area.Page(1)), Errno.EEXIST);
        monitor.ExpectNothingQueued();
    }

    // 6.2: the canonical pattern: filled through an alias that is not registered.
    [Theory]
    [Section("6.2")]
    [InlineData(MemoryKind.ShmemShared)]
    [InlineData(MemoryKind.ShmemPrivate)]
    [InlineData(MemoryKind.HugetlbShared)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void Continue_FilledThroughAnAlias_SeesTheLatestStores(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        MappedArea alias = Bed.Alias(area);
        Bed.Store(alias.At(0), 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.Minor, area.At(0));
        Bed.Store(alias.At(0), 2);
        Expect.Filled(monitor.Uffd.Continue(area.Page(0)), area.PageBytes);
        Assert.Equal(2UL, load.AwaitValue());
        Bed.Store(alias.At(0), 3);
        Assert.Equal(3UL, Bed.Load(area.At(0)));
    }

    [Fact]
    public void Continue_Anonymous_EINVALInTheField()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(monitor.Uffd.Continue(area.Page(0)), Errno.EINVAL);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void Continue_Hole_EFAULTAndNothingAllocated(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        Expect.Fails(monitor.Uffd.Continue(area.Page(0)), Errno.EFAULT);
        Assert.Equal(0UL, Testbed.Blocks(area));
        Assert.Equal(0UL, Bed.Pagemap(area, 0).Value);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void Continue_RunWithAHole_StopsThereThenEFAULT(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 3);
        Bed.FillCache(area, 0, seed: 0);
        Bed.FillCache(area, 2, seed: 2);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        Expect.Partial(monitor.Uffd.Continue(area.Range), area.PageBytes);
        Expect.Fails(monitor.Uffd.Continue(area.Pages(1, 2)), Errno.EFAULT);
        Assert.False(Bed.Pagemap(area, 2).IsPresent);
    }

    // Different on purpose: shmem's look-up says EINVAL, hugetlb's says EFAULT.
    [Theory]
    [InlineData(MemoryKind.ShmemShared, Errno.EINVAL)]
    [InlineData(MemoryKind.ShmemPrivate, Errno.EINVAL)]
    [InlineData(MemoryKind.HugetlbShared, Errno.EFAULT)]
    [InlineData(MemoryKind.HugetlbPrivate, Errno.EFAULT)]
    public void Continue_BeyondTheEndOfTheFile_EINVALOnShmemEFAULTOnHugetlb(MemoryKind kind, Errno expected)
    {
        MappedArea area = Bed.MapBeyondTheEnd(kind, filePages: 1, pages: 2);
        Bed.FillCache(area, 0, seed: 0);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        Expect.Fails(monitor.Uffd.Continue(area.Page(1)), expected);
        Expect.Partial(monitor.Uffd.Continue(area.Range), area.PageBytes);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Shmem), MemberType = typeof(MemoryKinds))]
    [Regression(22)]
    public void Continue_AllocatedPage_ZeroedAndValid(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        Expect.Ok(area.Backing.Allocate(0, area.Range.Length));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.Minor, area.At(0));
        Expect.Filled(monitor.Uffd.Continue(area.Range), area.Range.Length);
        Assert.Equal(0UL, load.AwaitValue());
        Bed.AssertZero(area, 3);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Shmem), MemberType = typeof(MemoryKinds))]
    public void Continue_SwappedPages_SwapsInAndMaps(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        Bed.FillCache(area);
        MappedArea alias = Bed.Alias(area);
        for (int page = 0; page < area.PageTotal; page++)
        {
            Bed.AssertPattern(alias, page, (ulong)page);
        }

        Bed.SwapOut(alias.Range);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        Expect.Filled(monitor.Uffd.Continue(area.Range), area.Range.Length);
        Assert.True(Bed.Pagemap(area, 0).IsPresent);
        Bed.AssertPattern(area, 0, seed: 0);
        Bed.AssertPattern(area, 3, seed: 3);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void Continue_OverPoison_ReplacesIt(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Cached(kind);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), area.PageBytes);
        Expect.Filled(monitor.Uffd.Continue(area.Page(0)), area.PageBytes);
        Bed.AssertPattern(area, 0, seed: 0);
    }

    [Theory]
    [InlineData(MemoryKind.ShmemShared, FillModes.None)]
    [InlineData(MemoryKind.ShmemShared, FillModes.WriteProtect)]
    [InlineData(MemoryKind.ShmemPrivate, FillModes.None)]
    [InlineData(MemoryKind.ShmemPrivate, FillModes.WriteProtect)]
    [InlineData(MemoryKind.HugetlbShared, FillModes.None)]
    [InlineData(MemoryKind.HugetlbShared, FillModes.WriteProtect)]
    public void Continue_OverAWriteProtectMarker_KeepsProtectionOnlyIfAsked(MemoryKind kind, FillModes modes)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor | RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Expect.Filled(monitor.Uffd.Continue(area.Page(0), modes), area.PageBytes);
        Assert.Equal(modes == FillModes.WriteProtect, Bed.IsProtected(area, 0));
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void Continue_OfSeveralMappings_OnePageCacheSharedByAll(MemoryKind kind)
    {
        MappedArea first = Bed.Map(kind, pages: 1);
        Bed.FillCache(first);
        MappedArea second = Bed.MapFile(kind, first.Backing, pages: 1);
        FaultMonitor monitor = Bed.Watch(first, RegisterModes.Minor);
        monitor.Register(second.Range, RegisterModes.Minor);
        Expect.Filled(monitor.Uffd.Continue(first.Page(0)), first.PageBytes);
        Expect.Filled(monitor.Uffd.Continue(second.Page(0)), second.PageBytes);
        PagemapEntry entry = Bed.Pagemap(first, 0);
        Assert.True(entry.IsPresent);
        Testbed.SkipIf(entry.FrameOrSwap == 0 ? "Frame numbers are hidden: they need CAP_SYS_ADMIN, run as root." : null);
        Assert.Equal(entry.FrameOrSwap, Bed.Pagemap(second, 0).FrameOrSwap);
    }

    // 4.2: MISSING and MINOR pages may be mixed in one area, and one call may resolve many faults.
    [Fact]
    public void Continue_ManyWaiters_OneCallResolvesAll()
    {
        (MappedArea area, FaultMonitor monitor) = Cached(MemoryKind.ShmemShared);
        PendingAccess[] loads = [.. Enumerable.Range(0, area.PageTotal).Select(page => Bed.StartLoad(area.At(page)))];
        monitor.AwaitPending(area.PageTotal);
        Expect.Filled(monitor.Uffd.Continue(area.Range), area.Range.Length);
        Assert.Equal(Enumerable.Range(0, area.PageTotal).Select(page => Pattern.Word((ulong)page, 0)), loads.Select(load => load.AwaitValue()));
    }

    // Private: mapped read-only, so the file is safe from the program's stores.
    [Theory]
    [InlineData(MemoryKind.ShmemPrivate)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void Continue_PrivateThenStore_CopiesAndLeavesTheFile(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Cached(kind);
        Expect.Filled(monitor.Uffd.Continue(area.Page(0)), area.PageBytes);
        Assert.Equal(1, Bed.CountStoreFaults(area.At(0)).Minor);
        Assert.Equal(1UL, Bed.Load(area.At(0)));
        Assert.Equal(Pattern.Word(0, 0), Bed.Load(Bed.Alias(area).At(0)));
        monitor.ExpectNothingQueued();
    }

    private (MappedArea Area, FaultMonitor Monitor) Cached(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, kind.IsHugetlb() ? 2 : 4);
        Bed.FillCache(area);
        return (area, Bed.Watch(area, RegisterModes.Minor));
    }
}
