using System;
using System.Collections.Generic;
using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Which accesses become messages, and what the messages say.</summary>
[Section("3.1")]
public abstract class FaultMessageConformance(EngineHost host) : ConformanceSuite(host)
{
    private const PageFaultFlags WriteProtected = PageFaultFlags.Write | PageFaultFlags.WriteProtect;

    /// <summary>All kinds, read and write.</summary>
    public static TheoryData<MemoryKind, bool> KindsAndDirections => WithDirections(Enum.GetValues<MemoryKind>());

    /// <summary>The kinds with a page cache, read and write.</summary>
    public static TheoryData<MemoryKind, bool> CachedKindsAndDirections => WithDirections(Enum.GetValues<MemoryKind>().Where(kind => kind.IsCached()));

    [Theory]
    [MemberData(nameof(KindsAndDirections))]
    public void Access_MissingPage_MissingMessageWithThePageAddress(MemoryKind kind, bool write)
    {
        MappedArea area = Bed.Map(kind, pages: 2);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingAccess access = Bed.Start(write, area.At(1, 0x808));
        UserfaultfdMessage message = monitor.ExpectFault(write ? PageFaultFlags.Write : PageFaultFlags.None, area.At(1));
        Assert.Equal((PageFaultKind.Missing, write, 0u), (message.Kind, message.IsWrite, message.ThreadId));
        monitor.ExpectNothingQueued();
        access.AssertStillBlocked();
        Expect.Filled(monitor.Uffd.Copy(area.At(1), Pattern.Bytes(area.PageBytes, 4)), area.PageBytes);
        Assert.Equal(write ? 0 : Pattern.Word(4, 0x808), access.AwaitValue());
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [MemberData(nameof(CachedKindsAndDirections))]
    public void Access_CachedPageWithMinor_MinorMessage(MemoryKind kind, bool write)
    {
        MappedArea area = Bed.Map(kind, pages: 2);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        PendingAccess access = Bed.Start(write, area.At(1, 0x808));
        UserfaultfdMessage message = monitor.ExpectFault(PageFaultFlags.Minor | (write ? PageFaultFlags.Write : PageFaultFlags.None), area.At(1));
        Assert.Equal((PageFaultKind.Minor, write), (message.Kind, message.IsWrite));
        access.AssertStillBlocked();
        Expect.Filled(monitor.Uffd.Continue(area.Page(1)), area.PageBytes);
        Assert.Equal(write ? 0 : Pattern.Word(1, 0x808), access.AwaitValue());
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    [Regression(25)]
    public void Store_ProtectedPage_WriteProtectMessage(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.Store(area.At(0), 7);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.Equal(7UL, Bed.Load(area.At(0)));
        PendingAccess store = Bed.StartStore(area.At(0, 0x100), 8);
        Assert.Equal(PageFaultKind.WriteProtect, monitor.ExpectFault(WriteProtected, area.At(0)).Kind);
        store.AssertStillBlocked();
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        store.AwaitValue();
        Assert.Equal(8UL, Bed.Load(area.At(0, 0x100)));
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Access_WithExactAddress_MessageKeepsTheLowBits(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.ExactAddress);
        VirtualAddress address = area.At(0, area.PageBytes - 0x7F8);
        PendingAccess load = Bed.StartLoad(address);
        monitor.ExpectFault(PageFaultFlags.None, address);
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 1)), area.PageBytes);
        load.AwaitValue();
    }

    [Fact]
    public void Access_WithThreadId_MessageNamesTheThread()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.ThreadId);
        PendingAccess first = Bed.StartLoad(area.At(0));
        Assert.Equal(first.Accessor.ThreadId, monitor.ExpectFault(PageFaultFlags.None, area.At(0)).ThreadId);
        PendingAccess second = Bed.StartLoad(area.At(1));
        Assert.Equal(second.Accessor.ThreadId, monitor.ExpectFault(PageFaultFlags.None, area.At(1)).ThreadId);
        Assert.NotEqual(first.Accessor.ThreadId, second.Accessor.ThreadId);
        Expect.Filled(monitor.Uffd.Zeropage(area.Range), area.Range.Length);
        first.AwaitValue();
        second.AwaitValue();
    }

    // 3.2: the rights of the mapping are judged first.
    [Theory]
    [Section("3.2")]
    [InlineData(MemoryKind.Anonymous, Protections.Read, true)]
    [InlineData(MemoryKind.Anonymous, Protections.None, false)]
    [InlineData(MemoryKind.Anonymous, Protections.None, true)]
    [InlineData(MemoryKind.ShmemShared, Protections.Read, true)]
    [InlineData(MemoryKind.ShmemShared, Protections.None, false)]
    [InlineData(MemoryKind.ShmemPrivate, Protections.Read, true)]
    [InlineData(MemoryKind.HugetlbShared, Protections.Read, true)]
    [InlineData(MemoryKind.HugetlbPrivate, Protections.None, false)]
    public void Access_ForbiddenByTheMapping_SegfaultWithoutMessage(MemoryKind kind, Protections protection, bool write)
    {
        MappedArea area = Bed.Map(kind, pages: 1, protection);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Assert.Equal(area.At(0), Bed.Start(write, area.At(0)).AwaitFault(AccessFault.Protection).Address);
        monitor.ExpectNothingQueued();
    }

    [Fact]
    [Section("3.2")]
    public void Access_UnregisteredNeighbour_NoMessage()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Open();
        monitor.Register(area.Page(1), RegisterModes.Missing);
        Assert.Equal(0UL, Bed.Load(area.At(0)));
        Bed.Store(area.At(2));
        monitor.ExpectNothingQueued();
    }

    // 3.2: beyond the end of the file no mode gives a message.
    [Theory]
    [Section("3.2")]
    [InlineData(MemoryKind.ShmemShared, RegisterModes.Missing)]
    [InlineData(MemoryKind.ShmemShared, RegisterModes.Minor)]
    [InlineData(MemoryKind.ShmemShared, RegisterModes.Missing | RegisterModes.Minor | RegisterModes.WriteProtect)]
    [InlineData(MemoryKind.ShmemPrivate, RegisterModes.Missing)]
    [InlineData(MemoryKind.ShmemPrivate, RegisterModes.Minor)]
    [InlineData(MemoryKind.HugetlbShared, RegisterModes.Missing)]
    [InlineData(MemoryKind.HugetlbShared, RegisterModes.Minor)]
    [InlineData(MemoryKind.HugetlbPrivate, RegisterModes.Missing)]
    public void Access_BeyondTheEndOfTheFile_BusErrorWithoutMessage(MemoryKind kind, RegisterModes modes)
    {
        MappedArea area = Bed.MapBeyondTheEnd(kind, filePages: 1, pages: 2);
        FaultMonitor monitor = Bed.Watch(area, modes);
        Assert.Equal(area.At(1, 8), Bed.LoadFails(area.At(1, 8), AccessFault.BusError).Address);
        Bed.StoreFails(area.At(1), AccessFault.BusError);
        monitor.ExpectNothingQueued();
    }

    // 3.2.3 and 3.2.4 of shmem, and hugetlb: what each mode lets through.
    [Theory]
    [Section("3.2")]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void Load_CachedPageWithMissingOnly_MappedSilently(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Assert.Equal(1, Bed.CountLoadFaults(area.At(0)).Minor);
        Bed.AssertPattern(area, 0, seed: 0);
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [Section("3.2")]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void Store_HoleWithMinorOnly_AllocatedSilently(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        Bed.Store(area.At(0), 3);
        Assert.Equal(3UL, Bed.Load(area.At(0)));
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [Section("3.2")]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void Access_MissingAndMinorArmed_EachPageGivesItsOwnReason(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 2);
        Bed.FillCache(area, 1, seed: 9);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.Minor);
        PendingAccess hole = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        PendingAccess cached = Bed.StartStore(area.At(1));
        monitor.ExpectFault(PageFaultFlags.Minor | PageFaultFlags.Write, area.At(1));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 2)), area.PageBytes);
        Expect.Filled(monitor.Uffd.Continue(area.Page(1)), area.PageBytes);
        Assert.Equal(Pattern.Word(2, 0), hole.AwaitValue());
        cached.AwaitValue();
    }

    // 3.2.6: the retried write copies; the file keeps its contents.
    [Theory]
    [Section("3.2")]
    [InlineData(MemoryKind.ShmemPrivate)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void Store_PrivateCachedPageWithMinor_ContinueThenCopyOnWrite(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        PendingAccess store = Bed.StartStore(area.At(0), 77);
        monitor.ExpectFault(PageFaultFlags.Minor | PageFaultFlags.Write, area.At(0));
        Expect.Filled(monitor.Uffd.Continue(area.Page(0)), area.PageBytes);
        store.AwaitValue();
        Assert.Equal(77UL, Bed.Load(area.At(0)));
        Assert.Equal(Pattern.Word(0, 0), Bed.Load(Bed.Alias(area).At(0)));
        monitor.ExpectNothingQueued();
    }

    [Fact]
    [Section("3.2")]
    public void Load_SwappedAnonymousPageWithMissing_NoMessage()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(area.At(0), 5);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Bed.SwapOut(area.Page(0));
        Assert.Equal(5UL, Bed.Load(area.At(0)));
        monitor.ExpectNothingQueued();
    }

    [Fact]
    [Section("3.2")]
    [Regression(45)]
    public void Store_SwappedProtectedAnonymousPage_SwappedInFirstThenMessage()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(area.At(0), 5);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Bed.SwapOut(area.Page(0));
        PendingAccess store = Bed.StartStore(area.At(0), 6);
        monitor.ExpectFault(WriteProtected, area.At(0));
        Assert.True(Bed.Pagemap(area, 0) is { IsPresent: true, IsUserfaultfdWriteProtected: true });
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        store.AwaitValue();
    }

    [Theory]
    [Section("3.2")]
    [MemberData(nameof(MemoryKinds.Shmem), MemberType = typeof(MemoryKinds))]
    public void Load_SwappedShmemPageWithMinor_MinorMessage(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.FillCache(area);
        MappedArea alias = Bed.Alias(area);
        Bed.AssertPattern(alias, 0, seed: 0);
        Bed.SwapOut(alias.Range);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor | RegisterModes.Missing);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.Minor, area.At(0));
        Expect.Filled(monitor.Uffd.Continue(area.Page(0)), area.PageBytes);
        Assert.Equal(Pattern.Word(0, 0), load.AwaitValue());
    }

    [Theory]
    [Section("3.2")]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Access_PoisonedPage_BusErrorWithoutMessage(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), area.PageBytes);
        Bed.LoadPoisoned(area.At(0));
        Testbed.AssertPoisoned(Bed.StartStore(area.At(0)).Await());
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [Section("3.2")]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemShared)]
    public void Access_GuardedPage_SegfaultWithoutMessage(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.GuardInstall));
        Assert.True(Bed.StartLoad(area.At(0)).Await().Fault is AccessFault.NotMapped or AccessFault.Protection);
        Assert.True(Bed.StartStore(area.At(0)).Await().Fault is AccessFault.NotMapped or AccessFault.Protection);
        monitor.ExpectNothingQueued();
    }

    private static TheoryData<MemoryKind, bool> WithDirections(IEnumerable<MemoryKind> kinds)
    {
        TheoryData<MemoryKind, bool> rows = [];
        foreach (MemoryKind kind in kinds)
        {
            rows.Add(kind, p2: false);
            rows.Add(kind, p2: true);
        }

        return rows;
    }
}
