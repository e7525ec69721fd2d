using Xunit;

namespace Faultline.Conformance;

/// <summary>Files of huge pages, and who sees what through shared and private mappings of them, before and after a fork.</summary>
[Section("7")]
public abstract class HugetlbFileConformance(EngineHost host) : ConformanceSuite(host)
{
    private const ulong Huge = PageSize.Huge;

    [Fact]
    public void File_Status_PageSizeAndBlocks()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 2);
        Assert.Equal(Huge, area.Backing.PageSizeBytes);
        Assert.Equal(0UL, Testbed.Blocks(area));
        Bed.Store(area.At(1));
        Assert.Equal(Huge / 512, Testbed.Blocks(area));
    }

    // Contents come through mappings only.
    [Fact]
    public void Write_ToTheFile_EINVAL()
    {
        IMemoryFile file = Bed.File(MemoryKind.HugetlbShared, pages: 1);
        Expect.Fails(file.Write(0, new byte[8]), Errno.EINVAL);
    }

    [Fact]
    public void Read_PagesAndHoles_ContentsAndZeroesUpToTheEnd()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 2);
        Bed.FillCache(area, 1, seed: 4);
        byte[] bytes = new byte[PageSize.Small];
        Assert.Equal(bytes.Length, Expect.Ok(area.Backing.Read(Huge - (PageSize.Small / 2), bytes)));
        Assert.Equal(new byte[PageSize.Small / 2], bytes[..(int)(PageSize.Small / 2)]);
        Assert.Equal(Pattern.Bytes(PageSize.Small / 2, 4), bytes[(int)(PageSize.Small / 2)..]);
        Assert.Equal(100, Expect.Ok(area.Backing.Read((2 * Huge) - 100, bytes)));
        Assert.Equal(0, Expect.Ok(area.Backing.Read(2 * Huge, bytes)));
    }

    // To lseek, all of it is data.
    [Fact]
    public void Find_DataAndHole_AllIsDataUpToTheEnd()
    {
        IMemoryFile file = Bed.File(MemoryKind.HugetlbShared, pages: 2);
        Assert.Equal(5UL, Expect.Ok(file.FindData(5)));
        Assert.Equal(2 * Huge, Expect.Ok(file.FindHole(5)));
        Expect.Fails(file.FindData(2 * Huge), Errno.ENXIO);
        Expect.Fails(file.FindHole(2 * Huge), Errno.ENXIO);
    }

    [Fact]
    public void Truncate_WithinAHugePage_EINVAL()
    {
        IMemoryFile file = Bed.File(MemoryKind.HugetlbShared, pages: 2);
        Expect.Fails(file.Truncate(Huge + PageSize.Small), Errno.EINVAL);
        Expect.Ok(file.Truncate(3 * Huge));
        Expect.Ok(file.Truncate(Huge));
        Assert.Equal(Huge, Expect.Ok(file.GetStatus()).Size);
    }

    // Unlike on shmem, an allocated page is a page of zeroes at once.
    [Fact]
    public void Allocate_ThenAccess_MinorWithZeroes()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 2);
        Expect.Ok(area.Backing.Allocate(Huge + PageSize.Small, PageSize.Small));
        Assert.Equal(Huge / 512, Testbed.Blocks(area));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.Minor);
        PendingAccess load = Bed.StartLoad(area.At(1, 8));
        monitor.ExpectFault(PageFaultFlags.Minor, area.At(1));
        Expect.Filled(monitor.Uffd.Continue(area.Page(1)), Huge);
        Assert.Equal(0UL, load.AwaitValue());
    }

    [Fact]
    public void Allocate_BeyondTheEnd_GrowsTheFileToTheByte()
    {
        IMemoryFile file = Bed.File(MemoryKind.HugetlbShared, pages: 1);
        Expect.Ok(file.Allocate(0, Huge + 100));
        Assert.Equal(new MemoryFileStatus(Huge + 100, 2 * Huge / 512), Expect.Ok(file.GetStatus()));
    }

    [Fact]
    public void PunchHole_OddRange_WholePagesGoAndTheRestIsCleared()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 3);
        Bed.FillCache(area);
        Expect.Ok(area.Backing.PunchHole(Huge - 8, Huge + 24));
        Assert.Equal(2 * Huge / 512, Testbed.Blocks(area));
        Assert.Equal((Pattern.Word(0, Huge - 16), 0UL), (Bed.Load(area.At(0, Huge - 16)), Bed.Load(area.At(0, Huge - 8))));
        Assert.Equal((0UL, Pattern.Word(2, 16)), (Bed.Load(area.At(2, 8)), Bed.Load(area.At(2, 16))));
        Assert.Equal(0UL, Bed.Load(area.At(1)));
    }

    // On shmem they survive (6.2).
    [Fact]
    public void PunchHole_UnderAPrivateCopy_TakesTheCopyToo()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbPrivate, pages: 1);
        Bed.FillCache(area);
        Bed.Store(area.At(0), 9);
        Expect.Ok(area.Backing.PunchHole(0, Huge));
        Assert.False(Bed.Pagemap(area, 0).IsPresent);
        Assert.Equal(0UL, Bed.Load(area.At(0)));
    }

    // On shmem it survives (4.6).
    [Fact]
    public void PunchHole_UnderPoison_TakesThePoisonToo()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), Huge);
        Bed.LoadPoisoned(area.At(0));
        Expect.Ok(area.Backing.PunchHole(0, Huge));
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(Huge, 1)), Huge);
        load.AwaitValue();
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Truncate_UnderAMapping_BusErrorBeyondAndNoMessage(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 2);
        Bed.Store(area.At(0), 4);
        Bed.Store(area.At(1), 5);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.Minor);
        Expect.Ok(area.Backing.Truncate(Huge));
        Bed.LoadFails(area.At(1), AccessFault.BusError);
        Bed.StoreFails(area.At(1), AccessFault.BusError);
        Assert.Equal(4UL, Bed.Load(area.At(0)));
        monitor.ExpectNothingQueued();
    }

    // A page that COPY has put beyond the end of the file, where only private mappings have one.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Truncate_NoShorter_PrivatePagesBeyondTheNewEndGo(int pages)
    {
        MappedArea area = Bed.MapBeyondTheEnd(MemoryKind.HugetlbPrivate, filePages: 1, pages: 4);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect);
        Expect.Filled(monitor.Uffd.Copy(area.At(1), Pattern.Bytes(Huge, 1)), Huge);
        Expect.Filled(monitor.Uffd.Copy(area.At(2), Pattern.Bytes(Huge, 1), FillModes.WriteProtect), Huge);
        Expect.Ok(area.Backing.Truncate((ulong)pages * Huge));
        Assert.Equal((pages == 2, false), (Bed.Pagemap(area, 1).IsPresent, Bed.Pagemap(area, 2).IsPresent));
        Assert.False(Bed.IsProtected(area, 2));
    }

    // fallocate makes a page that the file, cut to the byte, does not have whole. A page that is in the cache may be mapped.
    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Load_PageThatTheFileEndsIn_MappedIfItIsThere(MemoryKind kind)
    {
        MappedArea area = Bed.MapBeyondTheEnd(kind, filePages: 1, pages: 3);
        Expect.Ok(area.Backing.Allocate(0, Huge + 100));
        Expect.Ok(Bed.Space.Advise(area.Page(1), Advice.PopulateRead));
        Assert.True(Bed.Pagemap(area, 1).IsPresent);
        Assert.Equal(0UL, Bed.Load(area.At(1, Huge - 8)));
        Expect.Fails(Bed.Space.Advise(area.Page(2), Advice.PopulateRead), Errno.EFAULT);
        Bed.LoadFails(area.At(2), AccessFault.BusError);
    }

    [Fact]
    public void Store_PrivateMapping_FileAndOtherMappingsAreUntouched()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbPrivate, pages: 1);
        Bed.FillCache(area);
        MappedArea alias = Bed.Alias(area);
        Assert.Equal(Pattern.Word(0, 8), Bed.Load(area.At(0, 8)));
        Assert.Equal(Bed.Pagemap(alias.At(0)).FrameOrSwap == Bed.Pagemap(area, 0).FrameOrSwap, Bed.Pagemap(alias.At(0)).IsPresent);
        Assert.True(Bed.Pagemap(area, 0).IsFile);
        Assert.Equal(1, Bed.CountStoreFaults(area.At(0)).Minor);
        Assert.False(Bed.Pagemap(area, 0).IsFile);
        Assert.Equal(Pattern.Word(0, 8), Bed.Load(area.At(0, 8)));
        Bed.AssertPattern(alias, 0, seed: 0);
    }

    // No zero page: what is read is a page of the mapping's own, and a store then only makes it writable.
    [Fact]
    public void Load_PrivateHole_PageOfItsOwnThatTheStoreKeeps()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbPrivate, pages: 1);
        Assert.Equal(0UL, Bed.Load(area.At(0)));
        PagemapEntry read = Bed.Pagemap(area, 0);
        Assert.True(read is { IsPresent: true, IsFile: false, IsExclusive: true });
        Assert.Equal(1, Bed.CountStoreFaults(area.At(0)).Minor);
        Assert.Equal(read.FrameOrSwap, Bed.Pagemap(area, 0).FrameOrSwap);
        Assert.Equal(0UL, Testbed.Blocks(area));
    }

    [Fact]
    public void Load_SharedHole_WritableAtOnce()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 1);
        Assert.Equal(0UL, Bed.Load(area.At(0)));
        Assert.Equal(0, Bed.CountStoreFaults(area.At(0)).Minor);
    }

    [Fact]
    public void Fork_PrivatePage_SharedUntilOneWrites()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbPrivate, pages: 1);
        Bed.Store(area.At(0), 5);
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        IMemoryAccess access = Bed.Own(Expect.Ok(child.OpenAccess()));
        Assert.Equal(5UL, PendingAccess.Load(access, area.At(0)).AwaitValue());
        Assert.Equal(Bed.Pagemap(area, 0), Testbed.PagemapOf(child, area.At(0)));
        Assert.False(Bed.Pagemap(area, 0).IsExclusive);
        Assert.Equal((Huge, 0UL), (Bed.Vma(area.Range).SharedHugetlb, Bed.Vma(area.Range).PrivateHugetlb));
        PendingAccess.Store(access, area.At(0), 6).AwaitValue();
        Assert.Equal((5UL, 6UL), (Bed.Load(area.At(0)), PendingAccess.Load(access, area.At(0)).AwaitValue()));
        ulong frame = Bed.Pagemap(area, 0).FrameOrSwap;
        Assert.Equal((0UL, Huge), (Bed.Vma(area.Range).SharedHugetlb, Bed.Vma(area.Range).PrivateHugetlb));
        Bed.Store(area.At(0), 7);
        Assert.Equal(frame, Bed.Pagemap(area, 0).FrameOrSwap);
    }

    // The copy takes the page's place for every thread at once, those with a translation of the old one included.
    [Fact]
    public void Store_CopyAfterAFork_IsSeenByAThreadThatReadBefore()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbPrivate, pages: 1);
        Bed.Store(area.At(0), 5);
        Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        IMemoryAccess reader = Bed.Own(Expect.Ok(Bed.Space.OpenAccess()));
        IMemoryAccess writer = Bed.Own(Expect.Ok(Bed.Space.OpenAccess()));
        Assert.Equal(5UL, PendingAccess.Load(reader, area.At(0)).AwaitValue());
        PendingAccess.Store(writer, area.At(0), 6).AwaitValue();
        Assert.Equal(6UL, PendingAccess.Load(reader, area.At(0)).AwaitValue());
    }

    [Fact]
    public void Fork_SharedPage_OnePageForBoth()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 2);
        Bed.Store(area.At(0), 5);
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        IMemoryAccess access = Bed.Own(Expect.Ok(child.OpenAccess()));
        PendingAccess.Store(access, area.At(0), 6).AwaitValue();
        PendingAccess.Store(access, area.At(1), 7).AwaitValue();
        Assert.Equal((6UL, 7UL), (Bed.Load(area.At(0)), Bed.Load(area.At(1))));
        Assert.Equal(Bed.Pagemap(area, 1).FrameOrSwap, Testbed.PagemapOf(child, area.At(1)).FrameOrSwap);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Poison_ForkMoveAndDontNeed_CopiedMovedAndGone(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        if (kind == MemoryKind.HugetlbPrivate)
        {
            Bed.Load(area.At(0));
            Expect.Ok(Bed.Space.Advise(area.Range, Advice.DontNeed));
        }

        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), Huge);
        Assert.Equal(0UL, Bed.Pagemap(area, 0).Value);
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        AccessResult inChild = PendingAccess.Load(Bed.Own(Expect.Ok(child.OpenAccess())), area.At(0)).Await();
        Assert.Equal(kind == MemoryKind.HugetlbPrivate ? AccessFault.BusError : AccessFault.None, inChild.Fault);
        VirtualAddress target = Bed.NextPlace();
        Expect.Ok(Bed.Space.Remap(area.Range, Huge, RemapOptions.MayMove | RemapOptions.Fixed, target));
        Bed.LoadPoisoned(target);
        Expect.Ok(Bed.Space.Advise(area.Range with { Start = target }, Advice.DontNeed));
        Assert.Equal(0UL, Bed.Load(target));
    }

    [Fact]
    public void Seals_OfHugetlb_GrowShrinkAndWrite()
    {
        IMemoryFile file = Bed.File(MemoryKind.HugetlbShared, pages: 2);
        Expect.Ok(file.AddSeals(FileSeals.Grow | FileSeals.Shrink));
        Expect.Fails(file.Truncate(Huge), Errno.EPERM);
        Expect.Fails(file.Truncate(3 * Huge), Errno.EPERM);
        Expect.Fails(file.Truncate(Huge + 1), Errno.EINVAL);
        Expect.Fails(file.Allocate(0, 3 * Huge), Errno.EPERM);
        Expect.Ok(file.Allocate(0, Huge));
        Expect.Ok(file.AddSeals(FileSeals.Write));
        Expect.Fails(file.PunchHole(0, Huge), Errno.EPERM);
        Expect.Fails(Bed.Space.Map(MapRequest.SharedFile(file, Huge)), Errno.EPERM);
        Expect.Ok(Bed.Space.Map(MapRequest.PrivateFile(file, Huge)));
    }
}
