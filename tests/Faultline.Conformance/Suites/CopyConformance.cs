using System.Linq;
using System.Threading;
using Xunit;

namespace Faultline.Conformance;

/// <summary>UFFDIO_COPY: what it accepts, what it answers, and what it leaves behind.</summary>
[Section("4.3")]
public abstract class CopyConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Copy_SeveralPages_ContentsArriveAndSecondTimeEEXIST(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 3);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        byte[] contents = Pattern.Bytes(2 * area.PageBytes, 11);
        Expect.Filled(monitor.Uffd.Copy(area.At(1), contents), (ulong)contents.Length);
        Assert.Equal(contents, Bed.ReadBytes(area.At(1), (ulong)contents.Length));
        Assert.False(Bed.Pagemap(area, 0).IsPresent);
        Expect.Fails(monitor.Uffd.Copy(area.At(1), contents), Errno.EEXIST);
        Expect.Fails(monitor.Uffd.Copy(area.At(2), Pattern.Bytes(area.PageBytes, 12)), Errno.EEXIST);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Copy_FromTheOwnersAddresses_UnalignedSourceIsFine(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        byte[] contents = Pattern.Bytes(area.PageBytes + 64, 5);
        MappedArea source = Bed.MapAnonymous((int)(area.PageBytes / PageSize.Small) + 1);
        Bed.WriteBytes(source.At(0), contents);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Copy(area.Page(0), source.At(0, 1)), area.PageBytes);
        Assert.Equal(contents.Skip(1).Take((int)area.PageBytes), Bed.ReadBytes(area.At(0), area.PageBytes));
    }

    [Fact]
    public void Copy_SourceBeyondTheTask_EINVALAndFieldUntouched()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        Expect.Refused(monitor.Uffd.Copy(area.Page(0), new VirtualAddress(0xFFFF_8000_0000_0000)), Errno.EINVAL);
        Expect.Refused(monitor.Uffd.Copy(area.Page(0), new VirtualAddress(ulong.MaxValue - 100)), Errno.EINVAL);
    }

    [Fact]
    [Regression(6)]
    public void Copy_SourceNotMapped_EFAULT()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        Expect.Fails(monitor.Uffd.Copy(area.Page(0), Bed.NextPlace()), Errno.EFAULT);
        Assert.Equal(0UL, Bed.Pagemap(area, 0).Value);
    }

    [Fact]
    public void Copy_SourceEndsInTheMiddle_PartialThenEFAULT()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        MappedArea source = Bed.MapAnonymous(pages: 2);
        Bed.WriteBytes(source.At(0), Pattern.Bytes(source.Range.Length, 1));
        Expect.Partial(monitor.Uffd.Copy(area.Pages(0, 3), source.At(0)), 2 * PageSize.Small);
        Expect.Fails(monitor.Uffd.Copy(area.Pages(2, 1), source.Range.End), Errno.EFAULT);
    }

    [Fact]
    public void Copy_SwappedOutAnonymousPage_EEXIST()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(area.At(0), 4);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Bed.SwapOut(area.Page(0));
        Expect.Fails(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 1)), Errno.EEXIST);
        Assert.Equal(4UL, Bed.Load(area.At(0)));
    }

    // 4.3: shared: whatever the cache holds is in the way, even if this mapping has no entry.
    [Theory]
    [InlineData(MemoryKind.ShmemShared)]
    [InlineData(MemoryKind.HugetlbShared)]
    public void Copy_SharedWithCachedPage_EEXISTAndContentsKept(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 9)), Errno.EEXIST);
        Assert.False(Bed.Pagemap(area, 0).IsPresent);
        Bed.AssertPattern(area, 0, seed: 0);
    }

    [Theory]
    [InlineData(MemoryKind.ShmemShared)]
    [InlineData(MemoryKind.HugetlbShared)]
    public void Copy_SharedWithAllocatedPage_EEXIST(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Expect.Ok(area.Backing.Allocate(0, area.PageBytes));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 9)), Errno.EEXIST);
    }

    [Fact]
    public void Copy_SharedWithSwappedPage_EEXIST()
    {
        MappedArea area = SwappedShmem(MemoryKind.ShmemShared);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 9)), Errno.EEXIST);
        Bed.AssertPattern(area, 0, seed: 0);
    }

    // 4.3: private: the cache is neither consulted nor filled.
    [Theory]
    [InlineData(MemoryKind.ShmemPrivate)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void Copy_PrivateWithCachedPage_MakesAPageOfItsOwn(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 9)), area.PageBytes);
        Bed.AssertPattern(area, 0, seed: 9);
        Bed.AssertPattern(Bed.Alias(area), 0, seed: 0);
    }

    [Fact]
    public void Copy_PrivateShmemHole_LeavesTheFileAHole()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.ShmemPrivate);
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 9)), area.PageBytes);
        Assert.Equal(0UL, Testbed.Blocks(area));
        Expect.Fails(area.Backing.FindData(0), Errno.ENXIO);
    }

    // 4.3: markers are overwritten.
    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Copy_OverPoison_ReplacesIt(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Watched(kind);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), area.PageBytes);
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 3)), area.PageBytes);
        Bed.AssertPattern(area, 0, seed: 3);
    }

    [Theory]
    [InlineData(MemoryKind.ShmemShared, FillModes.None)]
    [InlineData(MemoryKind.ShmemShared, FillModes.WriteProtect)]
    [InlineData(MemoryKind.ShmemPrivate, FillModes.None)]
    [InlineData(MemoryKind.ShmemPrivate, FillModes.WriteProtect)]
    [InlineData(MemoryKind.HugetlbShared, FillModes.None)]
    [InlineData(MemoryKind.HugetlbPrivate, FillModes.WriteProtect)]
    public void Copy_OverAWriteProtectMarker_KeepsProtectionOnlyIfAsked(MemoryKind kind, FillModes modes)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 3), modes), area.PageBytes);
        Assert.Equal(modes == FillModes.WriteProtect, Bed.IsProtected(area, 0));
    }

    // 6.18 overwrites a guard; later kernels answer EEXIST.
    [Fact]
    [Regression(43)]
    public void Copy_OverAGuard_ReplacesIt()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.GuardInstall));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 3)), area.PageBytes);
        Bed.AssertPattern(area, 0, seed: 3);
    }

    [Theory]
    [InlineData(MemoryKind.ShmemShared)]
    [InlineData(MemoryKind.ShmemPrivate)]
    [InlineData(MemoryKind.HugetlbShared)]
    [Regression(8)]
    public void Copy_BeyondTheEndOfTheFile_EFAULT(MemoryKind kind)
    {
        MappedArea area = Bed.MapBeyondTheEnd(kind, filePages: 1, pages: 3);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        byte[] pages = Pattern.Bytes(2 * area.PageBytes, 1);
        Expect.Fails(monitor.Uffd.Copy(area.At(1), pages), Errno.EFAULT);
        Expect.Partial(monitor.Uffd.Copy(area.At(0), pages), area.PageBytes);
    }

    // The file size is only looked at when the page goes into the cache.
    [Fact]
    [Section("7")]
    public void Copy_BeyondTheEndOfAPrivateHugetlbFile_SucceedsWithAPageOfItsOwn()
    {
        MappedArea area = Bed.MapBeyondTheEnd(MemoryKind.HugetlbPrivate, filePages: 1, pages: 2);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Copy(area.At(1), Pattern.Bytes(area.PageBytes, 1)), area.PageBytes);
        Assert.Equal(Pattern.Word(1, 0), Bed.Load(area.At(1)));
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Shmem), MemberType = typeof(MemoryKinds))]
    public void Copy_IntoThePartialLastPage_Succeeds(MemoryKind kind)
    {
        IMemoryFile file = Bed.File(kind, pages: 1);
        Expect.Ok(file.Truncate(PageSize.Small + 100));
        MappedArea area = Bed.MapFile(kind, file, pages: 3);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Copy(area.At(1), Pattern.Bytes(area.PageBytes, 1)), area.PageBytes);
        Expect.Fails(monitor.Uffd.Copy(area.At(2), Pattern.Bytes(area.PageBytes, 1)), Errno.EFAULT);
    }

    [Fact]
    public void Copy_FileAtItsLimit_PartialThenENOMEM()
    {
        (MappedArea area, FaultMonitor monitor) = Limited(limitPages: 2);
        Expect.Partial(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(3 * PageSize.Small, 1)), 2 * PageSize.Small);
        Expect.Fails(monitor.Uffd.Copy(area.At(2), Pattern.Bytes(PageSize.Small, 1)), Errno.ENOMEM);
        Expect.Ok(area.Backing.PunchHole(0, PageSize.Small));
        Expect.Filled(monitor.Uffd.Copy(area.At(2), Pattern.Bytes(PageSize.Small, 1)), PageSize.Small);
    }

    // 4.3: the source is fetched with no lock held, then the destination is looked up again from scratch.
    [Fact]
    [Regression(6)]
    public void Copy_SourceFaults_WaitsForTheSourceAndSucceeds()
    {
        (MappedArea area, MappedArea source, FaultMonitor monitor, PendingWork<FillResult> copy) = ParkOnTheSource();
        Expect.Filled(monitor.Uffd.Copy(source.At(0), Pattern.Bytes(PageSize.Small, 6)), PageSize.Small);
        Expect.Filled(copy.Await(), PageSize.Small);
        Bed.AssertPattern(area, 0, seed: 6);
    }

    [Fact]
    [Regression(6)]
    public void Copy_DestinationUnmappedWhileTheSourceFaults_ENOENT()
    {
        (MappedArea area, MappedArea source, FaultMonitor monitor, PendingWork<FillResult> copy) = ParkOnTheSource();
        Expect.Ok(Bed.Space.Unmap(area.Range));
        Expect.Filled(monitor.Uffd.Copy(source.At(0), Pattern.Bytes(PageSize.Small, 6)), PageSize.Small);
        Expect.Fails(copy.Await(), Errno.ENOENT);
    }

    [Fact]
    public void Copy_DestinationFilledWhileTheSourceFaults_EEXIST()
    {
        (MappedArea area, MappedArea source, FaultMonitor monitor, PendingWork<FillResult> copy) = ParkOnTheSource();
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Small, 7)), PageSize.Small);
        Expect.Filled(monitor.Uffd.Copy(source.At(0), Pattern.Bytes(PageSize.Small, 6)), PageSize.Small);
        Expect.Fails(copy.Await(), Errno.EEXIST);
        Bed.AssertPattern(area, 0, seed: 7);
    }

    [Fact]
    public void Copy_SourcePoisonedWhileItFaults_EFAULT()
    {
        (MappedArea area, MappedArea source, FaultMonitor monitor, PendingWork<FillResult> copy) = ParkOnTheSource();
        Expect.Filled(monitor.Uffd.Poison(source.Page(0)), PageSize.Small);
        Expect.Fails(copy.Await(), Errno.EFAULT);
        Assert.False(Bed.Pagemap(area, 0).IsPresent);
    }

    [Theory]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemShared)]
    public void Copy_ManyThreadsOnOnePage_ExactlyOneSucceeds(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 32);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        for (int page = 0; page < area.PageTotal; page++)
        {
            using Barrier start = new(4);
            PendingWork<FillResult>[] copies = [.. Enumerable.Range(0, 4).Select(seed => Copier(monitor, start, area.At(page), (ulong)seed))];
            FillResult[] results = [.. copies.Select(copy => copy.Await())];
            int winner = results.ToList().FindIndex(result => result.IsOk);
            Assert.Equal(new FillResult(Errno.None, (long)PageSize.Small), Assert.Single(results, result => result.IsOk));
            Assert.All(results.Where(result => !result.IsOk), result => Expect.Fails(result, Errno.EEXIST));
            Bed.AssertPattern(area, page, (ulong)winner);
        }
    }

    // a copy into read-only memory is dirty, so swapping it out keeps its contents.
    [Theory]
    [MemberData(nameof(MemoryKinds.Small), MemberType = typeof(MemoryKinds))]
    [Regression(9)]
    public void Copy_IntoReadOnlyMemory_SurvivesSwapping(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1, Protections.Read);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(area.PageBytes, 8)), area.PageBytes);
        Bed.SwapOut(area.Range);
        Bed.AssertPattern(area, 0, seed: 8);
    }

    private static PendingWork<FillResult> Copier(FaultMonitor monitor, Barrier start, VirtualAddress address, ulong seed) => new("copy", () =>
    {
        byte[] page = Pattern.Bytes(PageSize.Small, seed);
        start.SignalAndWait(Deadline.Normal);
        return monitor.Uffd.Copy(address, page);
    });

    private (MappedArea Area, MappedArea Source, FaultMonitor Monitor, PendingWork<FillResult> Copy) ParkOnTheSource()
    {
        Bed.NeedKernelFaults();
        MappedArea area = Bed.MapAnonymous(pages: 1);
        MappedArea source = Bed.MapAnonymous(pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        monitor.Register(source.Range, RegisterModes.Missing);
        PendingWork<FillResult> copy = Testbed.StartCall("copy", () => monitor.Uffd.Copy(area.Page(0), source.At(0)));
        monitor.ExpectFault(PageFaultFlags.None, source.At(0));
        return (area, source, monitor, copy);
    }

    private MappedArea SwappedShmem(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        Bed.FillCache(area);
        MappedArea alias = Bed.Alias(area);
        Bed.AssertPattern(alias, 0, seed: 0);
        Bed.SwapOut(alias.Range);
        return area;
    }

    private (MappedArea Area, FaultMonitor Monitor) Limited(int limitPages)
    {
        ulong limit = (ulong)limitPages * PageSize.Small;
        SystemResult<IMemoryFile> file = Engine.CreateMemoryFile(new() { Name = "limited", Size = 4 * PageSize.Small, LimitBytes = limit });
        Testbed.SkipIf(file.Errno == Errno.EOPNOTSUPP ? $"No file with a limit can be made: {Engine.Capabilities.LimitedFiles.Reason}" : null);
        MappedArea area = Bed.MapFile(MemoryKind.ShmemShared, Bed.Own(Expect.Ok(file)), pages: 4);
        return (area, Bed.Watch(area, RegisterModes.Missing));
    }

    private (MappedArea Area, FaultMonitor Monitor) Watched(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, kind.IsHugetlb() ? 1 : 4);
        return (area, Bed.Watch(area, RegisterModes.Missing));
    }
}
