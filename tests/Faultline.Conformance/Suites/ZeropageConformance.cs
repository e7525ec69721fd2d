using Xunit;

namespace Faultline.Conformance;

/// <summary>UFFDIO_ZEROPAGE: the zero page for private memory, a real page for shared memory.</summary>
[Section("4.4")]
public abstract class ZeropageConformance(EngineHost host) : ConformanceSuite(host)
{
    [Theory]
    [MemberData(nameof(MemoryKinds.Small), MemberType = typeof(MemoryKinds))]
    public void Zeropage_EmptyPages_ReadAsZeroAndSecondTimeEEXIST(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Watched(kind);
        Expect.Filled(monitor.Uffd.Zeropage(area.Pages(0, 3)), 3 * PageSize.Small);
        Bed.AssertZero(area, 0);
        Bed.AssertZero(area, 2);
        Expect.Fails(monitor.Uffd.Zeropage(area.Page(0)), Errno.EEXIST);
        Expect.Fails(monitor.Uffd.Copy(area.At(1), Pattern.Bytes(PageSize.Small, 1)), Errno.EEXIST);
    }

    // Private: the global zero page, which counts for nothing; the first write takes one fault.
    [Theory]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemPrivate)]
    public void Zeropage_Private_MapsTheZeroPage(MemoryKind kind)
    {
        (MappedArea area, FaultMonitor monitor) = Watched(kind);
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(0)), PageSize.Small);
        PagemapEntry entry = Bed.Pagemap(area, 0);
        Assert.True(entry is { IsPresent: true, IsExclusive: false, IsUserfaultfdWriteProtected: false });
        VmaInfo vma = Bed.Vma(area.Range);
        Assert.Equal((0UL, 0UL, 0UL), (vma.Resident, vma.Anonymous, vma.PrivateDirty));
        Assert.Equal(1, Bed.CountStoreFaults(area.At(0)).Minor);
        Assert.Equal(PageSize.Small, Bed.Vma(area.Range).Anonymous);
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Zeropage_PrivateShmemWithCachedPage_HidesTheCache()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemPrivate);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(0)), PageSize.Small);
        Bed.AssertZero(area, 0);
    }

    // Shared: as a copy of zeroes.
    [Fact]
    public void Zeropage_Shared_AllocatesAPageOfTheFile()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.ShmemShared);
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(1)), PageSize.Small);
        Assert.Equal(8UL, Testbed.Blocks(area));
        VmaInfo vma = Bed.Vma(area.Range);
        Assert.Equal((PageSize.Small, 0UL, PageSize.Small), (vma.Resident, vma.Anonymous, vma.PrivateDirty + vma.SharedDirty));
        Assert.True(Bed.Pagemap(area, 1) is { IsPresent: true, IsFile: true });
        Assert.Equal(0, Bed.CountStoreFaults(area.At(1)).Minor);
    }

    [Fact]
    public void Zeropage_SharedWithCachedPage_EEXIST()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(monitor.Uffd.Zeropage(area.Page(0)), Errno.EEXIST);
        Bed.AssertPattern(area, 0, seed: 0);
    }

    [Fact]
    public void Zeropage_SharedWithAllocatedPage_EEXIST()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared);
        Expect.Ok(area.Backing.Allocate(0, PageSize.Small));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(monitor.Uffd.Zeropage(area.Page(0)), Errno.EEXIST);
    }

    // Private needs a strictly empty entry; shared overwrites markers.
    [Theory]
    [InlineData(MemoryKind.Anonymous, Errno.EEXIST)]
    [InlineData(MemoryKind.ShmemPrivate, Errno.EEXIST)]
    [InlineData(MemoryKind.ShmemShared, Errno.None)]
    public void Zeropage_OverPoison_EEXISTUnlessShared(MemoryKind kind, Errno expected)
    {
        (MappedArea area, FaultMonitor monitor) = Watched(kind);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), PageSize.Small);
        Assert.Equal(expected, monitor.Uffd.Zeropage(area.Page(0)).Errno);
    }

    [Theory]
    [InlineData(MemoryKind.Anonymous, Errno.EEXIST)]
    [InlineData(MemoryKind.ShmemPrivate, Errno.EEXIST)]
    [InlineData(MemoryKind.ShmemShared, Errno.None)]
    public void Zeropage_OverAWriteProtectMarker_EEXISTUnlessShared(MemoryKind kind, Errno expected)
    {
        MappedArea area = Bed.Map(kind);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectUnpopulated);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.Equal(expected, monitor.Uffd.Zeropage(area.Page(0)).Errno);
    }

    [Fact]
    public void Zeropage_OverAGuard_EEXIST()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(MemoryKind.Anonymous);
        Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.GuardInstall));
        Expect.Fails(monitor.Uffd.Zeropage(area.Page(0)), Errno.EEXIST);
    }

    [Fact]
    public void Zeropage_SwappedOutPage_EEXIST()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(area.At(0), 4);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Bed.SwapOut(area.Page(0));
        Expect.Fails(monitor.Uffd.Zeropage(area.Page(0)), Errno.EEXIST);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Shmem), MemberType = typeof(MemoryKinds))]
    public void Zeropage_BeyondTheEndOfTheFile_EFAULT(MemoryKind kind)
    {
        MappedArea area = Bed.MapBeyondTheEnd(kind, filePages: 1, pages: 3);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(monitor.Uffd.Zeropage(area.Page(1)), Errno.EFAULT);
        Expect.Partial(monitor.Uffd.Zeropage(area.Range), PageSize.Small);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Zeropage_Hugetlb_EINVALInTheField(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(monitor.Uffd.Zeropage(area.Page(0)), Errno.EINVAL);
    }

    [Fact]
    public void Zeropage_SharedFileAtItsLimit_ENOMEM()
    {
        SystemResult<IMemoryFile> file = Engine.CreateMemoryFile(new() { Name = "limited", Size = 4 * PageSize.Small, LimitBytes = PageSize.Small });
        Testbed.SkipIf(file.Errno == Errno.EOPNOTSUPP ? $"No file with a limit can be made: {Engine.Capabilities.LimitedFiles.Reason}" : null);
        MappedArea area = Bed.MapFile(MemoryKind.ShmemShared, Bed.Own(Expect.Ok(file)), pages: 4);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Partial(monitor.Uffd.Zeropage(area.Pages(0, 2)), PageSize.Small);
        Expect.Fails(monitor.Uffd.Zeropage(area.Page(1)), Errno.ENOMEM);
    }

    private (MappedArea Area, FaultMonitor Monitor) Watched(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        return (area, Bed.Watch(area, RegisterModes.Missing));
    }
}
