using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>The states of a page in a shmem file (hole, allocated, punched, truncated, swapped) and what registered mappings see of them.</summary>
[Section("6.2")]
public abstract class ShmemConformance(EngineHost host) : ConformanceSuite(host)
{
    private const RegisterModes Both = RegisterModes.Missing | RegisterModes.Minor;

    [Theory]
    [InlineData(MemoryKind.ShmemShared, true)]
    [InlineData(MemoryKind.ShmemShared, false)]
    [InlineData(MemoryKind.ShmemPrivate, true)]
    [InlineData(MemoryKind.ShmemPrivate, false)]
    [Regression(22)]
    public void Access_AllocatedPage_MinorMessage(MemoryKind kind, bool write)
    {
        MappedArea area = Bed.Map(kind);
        Expect.Ok(area.Backing.Allocate(PageSize.Small, PageSize.Small));
        Assert.Equal(8UL, Testbed.Blocks(area));
        FaultMonitor monitor = Bed.Watch(area, Both);
        PendingAccess access = Bed.Start(write, area.At(1));
        monitor.ExpectFault(PageFaultFlags.Minor | (write ? PageFaultFlags.Write : PageFaultFlags.None), area.At(1));
        Expect.Filled(monitor.Uffd.Continue(area.Page(1)), PageSize.Small);
        Assert.Equal(0UL, access.AwaitValue());
    }

    [Fact]
    public void FileRead_MissingPageOfARegisteredMapping_ZeroWithoutMessage()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared);
        FaultMonitor monitor = Bed.Watch(area, Both);
        byte[] page = Pattern.Bytes(PageSize.Small, 1);
        Assert.Equal(page.Length, Expect.Ok(area.Backing.Read(0, page)));
        Assert.Equal(new byte[PageSize.Small], page);
        monitor.ExpectNothingQueued();
        Assert.Equal(0UL, Testbed.Blocks(area));
    }

    [Fact]
    public void FileWrite_BehindARegisteredMapping_MakesItMinorWithoutMessage()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared);
        FaultMonitor monitor = Bed.Watch(area, Both);
        Bed.FillCache(area, 2, seed: 2);
        monitor.ExpectNothingQueued();
        PendingAccess load = Bed.StartLoad(area.At(2));
        monitor.ExpectFault(PageFaultFlags.Minor, area.At(2));
        Expect.Filled(monitor.Uffd.Continue(area.Page(2)), PageSize.Small);
        Assert.Equal(Pattern.Word(2, 0), load.AwaitValue());
    }

    [Fact]
    public void Copy_SharedHole_FileHasExactlyThatPage()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared);
        FaultMonitor monitor = Bed.Watch(area, Both);
        Expect.Filled(monitor.Uffd.Copy(area.At(2), Pattern.Bytes(PageSize.Small, 5)), PageSize.Small);
        Assert.Equal((2 * PageSize.Small, 3 * PageSize.Small), (Expect.Ok(area.Backing.FindData(0)), Expect.Ok(area.Backing.FindHole(2 * PageSize.Small))));
        byte[] page = new byte[PageSize.Small];
        Assert.Equal(page.Length, Expect.Ok(area.Backing.Read(2 * PageSize.Small, page)));
        Assert.Equal(Pattern.Bytes(PageSize.Small, 5), page);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Shmem), MemberType = typeof(MemoryKinds))]
    public void DontNeed_MappedCachedPage_MinorAgainWithContentsKept(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Continued(kind);
        Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.DontNeed));
        Assert.Equal(0UL, Bed.Pagemap(area, 0).Value);
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.Minor, area.At(0));
        Expect.Filled(monitor.Uffd.Continue(area.Page(0)), PageSize.Small);
        Assert.Equal(Pattern.Word(0, 0), load.AwaitValue());
    }

    // A private page of the mapping's own is dropped, and the cache is seen again.
    [Fact]
    public void DontNeed_PrivateOwnPage_CacheIsSeenAgain()
    {
        (MappedArea area, FaultMonitor monitor) = Continued(MemoryKind.ShmemPrivate);
        Bed.Store(area.At(0), 99);
        Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.DontNeed));
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.Minor, area.At(0));
        Expect.Filled(monitor.Uffd.Continue(area.Page(0)), PageSize.Small);
        Assert.Equal(Pattern.Word(0, 0), load.AwaitValue());
    }

    [Theory]
    [InlineData(MemoryKind.ShmemShared, true)]
    [InlineData(MemoryKind.ShmemShared, false)]
    [InlineData(MemoryKind.ShmemPrivate, true)]
    public void PunchHole_MappedCachedPage_MissingAgainInAllMappings(MemoryKind kind, bool throughTheFile)
    {
        (MappedArea area, FaultMonitor monitor) = Continued(kind);
        MappedArea alias = Bed.Alias(area);
        Bed.AssertPattern(alias, 1, seed: 1);
        Punch(area, 1, throughTheFile);
        Assert.Equal((0UL, 0UL), (Bed.Pagemap(area, 1).Value, Bed.Pagemap(alias, 1).Value));
        Assert.Equal(3 * 8UL, Testbed.Blocks(area));
        Expect.Fails(monitor.Uffd.Continue(area.Page(1)), Errno.EFAULT);
        PendingAccess load = Bed.StartLoad(area.At(1));
        monitor.ExpectFault(PageFaultFlags.None, area.At(1));
        Expect.Filled(monitor.Uffd.Copy(area.At(1), Pattern.Bytes(PageSize.Small, 8)), PageSize.Small);
        Assert.Equal(Pattern.Word(8, 0), load.AwaitValue());
    }

    [Fact]
    public void PunchHole_PrivateOwnPage_Survives()
    {
        (MappedArea area, FaultMonitor monitor) = Continued(MemoryKind.ShmemPrivate);
        Bed.Store(area.At(1), 99);
        Expect.Ok(area.Backing.PunchHole(0, area.Range.Length));
        Assert.Equal(99UL, Bed.Load(area.At(1)));
        Assert.Equal(0UL, Bed.Pagemap(area, 0).Value);
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void PunchHole_PartOfAPage_ZeroesThatPartOnly()
    {
        (MappedArea area, FaultMonitor monitor) = Continued(MemoryKind.ShmemShared);
        Expect.Ok(area.Backing.PunchHole(64, 128));
        Assert.Equal((Pattern.Word(0, 56), 0UL), (Bed.Load(area.At(0, 56)), Bed.Load(area.At(0, 64))));
        Assert.Equal((0UL, Pattern.Word(0, 192)), (Bed.Load(area.At(0, 184)), Bed.Load(area.At(0, 192))));
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Shmem), MemberType = typeof(MemoryKinds))]
    public void Truncate_MappedPages_BusErrorBeyondTheEndWithoutMessage(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Continued(kind);
        Expect.Ok(area.Backing.Truncate(2 * PageSize.Small));
        Assert.Equal([true, true, false, false], Enumerable.Range(0, 4).Select(page => Bed.Pagemap(area, page).IsPresent));
        Bed.LoadFails(area.At(2), AccessFault.BusError);
        Assert.Equal(Pattern.Word(1, 0), Bed.Load(area.At(1)));
        monitor.ExpectNothingQueued();
        Assert.Equal(16UL, Testbed.Blocks(area));
    }

    // Truncation, unlike a punched hole, takes a private mapping's own pages too.
    [Fact]
    public void Truncate_PrivateOwnPage_Dropped()
    {
        (MappedArea area, _) = Continued(MemoryKind.ShmemPrivate);
        Bed.Store(area.At(3), 99);
        Expect.Ok(area.Backing.Truncate(2 * PageSize.Small));
        Bed.LoadFails(area.At(3), AccessFault.BusError);
        Assert.Equal(0UL, Bed.Vma(area.Range).Anonymous);
    }

    [Fact]
    public void Truncate_WaiterBeyondTheNewEnd_SleepsUntilWakeAndThenBusError()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared);
        FaultMonitor monitor = Bed.Watch(area, Both);
        PendingAccess load = Bed.StartLoad(area.At(3));
        monitor.ExpectFault(PageFaultFlags.None, area.At(3));
        Expect.Ok(area.Backing.Truncate(PageSize.Small));
        load.AssertStillBlocked();
        Expect.Ok(monitor.Uffd.Wake(area.Range));
        load.AwaitFault(AccessFault.BusError);
    }

    [Fact]
    public void Truncate_GrownAgain_MissingWhereThePagesWere()
    {
        (MappedArea area, FaultMonitor monitor) = Continued(MemoryKind.ShmemShared);
        Expect.Ok(area.Backing.Truncate(PageSize.Small));
        Expect.Ok(area.Backing.Truncate(area.Range.Length));
        PendingAccess load = Bed.StartLoad(area.At(2));
        monitor.ExpectFault(PageFaultFlags.None, area.At(2));
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(2)), PageSize.Small);
        Assert.Equal(0UL, load.AwaitValue());
    }

    [Fact]
    public void Truncate_MiddleOfAPage_ZeroesItsRest()
    {
        (MappedArea area, _) = Continued(MemoryKind.ShmemShared);
        Expect.Ok(area.Backing.Truncate(PageSize.Small + 64));
        Assert.Equal((Pattern.Word(1, 56), 0UL), (Bed.Load(area.At(1, 56)), Bed.Load(area.At(1, 64))));
    }

    // 3.2 and 10: no fault-around where minor or write-protect faults are wanted.
    [Theory]
    [Section("10")]
    [InlineData(MemoryKind.ShmemShared, RegisterModes.WriteProtect)]
    [InlineData(MemoryKind.ShmemShared, RegisterModes.WriteProtect | RegisterModes.Missing)]
    [InlineData(MemoryKind.ShmemPrivate, RegisterModes.WriteProtect)]
    public void Load_CachedPageWithWriteProtectArmed_NeighboursAreNotMapped(MemoryKind kind, RegisterModes modes)
    {
        MappedArea area = Bed.Map(kind, pages: 16);
        Bed.FillCache(area);
        Bed.Watch(area, modes);
        Assert.Equal(Pattern.Word(5, 0), Bed.Load(area.At(5)));
        Assert.Equal([5], Enumerable.Range(0, 16).Where(page => Bed.Pagemap(area, page).IsPresent));
    }

    [Fact]
    [Section("10")]
    public void Continue_OnePageOfMany_NeighboursStayMinor()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared, pages: 16);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        Expect.Filled(monitor.Uffd.Continue(area.Page(5)), PageSize.Small);
        Assert.Equal([5], Enumerable.Range(0, 16).Where(page => Bed.Pagemap(area, page).IsPresent));
        PendingAccess load = Bed.StartLoad(area.At(6));
        monitor.ExpectFault(PageFaultFlags.Minor, area.At(6));
        Expect.Filled(monitor.Uffd.Continue(area.Page(6)), PageSize.Small);
        load.AwaitValue();
    }

    [Fact]
    public void Map_AtAnOffsetOfTheFile_FillsThatPartOfIt()
    {
        IMemoryFile file = Bed.File(MemoryKind.ShmemShared, pages: 8);
        MappedArea area = Bed.MapFile(MemoryKind.ShmemShared, file, pages: 2, offset: 5 * PageSize.Small);
        FaultMonitor monitor = Bed.Watch(area, Both);
        Expect.Filled(monitor.Uffd.Copy(area.At(1), Pattern.Bytes(PageSize.Small, 1)), PageSize.Small);
        Assert.Equal(6 * PageSize.Small, Expect.Ok(file.FindData(0)));
    }

    // Two contexts over one file: each mapping has its own faults, one page serves both.
    [Fact]
    public void Copy_InOneOfTwoRegisteredMappings_TheOtherTurnsMinor()
    {
        MappedArea first = Bed.Map(MemoryKind.ShmemShared);
        MappedArea second = Bed.MapFile(MemoryKind.ShmemShared, first.Backing, pages: 4);
        FaultMonitor ofFirst = Bed.Watch(first, Both);
        FaultMonitor ofSecond = Bed.Watch(second, Both);
        PendingAccess waiter = Bed.StartLoad(second.At(0));
        ofSecond.ExpectFault(PageFaultFlags.None, second.At(0));
        Expect.Filled(ofFirst.Uffd.Copy(first.At(0), Pattern.Bytes(PageSize.Small, 1)), PageSize.Small);
        waiter.AssertStillBlocked();
        Expect.Fails(ofSecond.Uffd.Copy(second.At(0), Pattern.Bytes(PageSize.Small, 2)), Errno.EEXIST);
        Expect.Ok(ofSecond.Uffd.Wake(second.Range));
        ofSecond.ExpectFault(PageFaultFlags.Minor, second.At(0));
        Expect.Filled(ofSecond.Uffd.Continue(second.Page(0)), PageSize.Small);
        Assert.Equal(Pattern.Word(1, 0), waiter.AwaitValue());
    }

    private void Punch(MappedArea area, int page, bool throughTheFile)
    {
        if (throughTheFile)
        {
            Expect.Ok(area.Backing.PunchHole(area.FileOffset(page), PageSize.Small));
        }
        else
        {
            Expect.Ok(Bed.Space.Advise(area.Page(page), Advice.Remove));
        }
    }

    private (MappedArea Area, FaultMonitor Monitor) Continued(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, Both);
        Expect.Filled(monitor.Uffd.Continue(area.Range), area.Range.Length);
        return (area, monitor);
    }
}
