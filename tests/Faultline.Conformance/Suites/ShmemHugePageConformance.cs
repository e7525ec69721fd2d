using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Huge pages of the page cache: collapsed, mapped whole and in pieces, cut, punched, swapped out. Pages of a case hold their own number.</summary>
[Section("10")]
public abstract class ShmemHugePageConformance(EngineHost host) : ConformanceSuite(host)
{
    private const int SmallInHuge = HugePages.SmallPages;

    [Theory]
    [InlineData(MemoryKind.ShmemShared)]
    [InlineData(MemoryKind.ShmemPrivate)]
    public void Collapse_CachedFile_MappedHugeByTheCallerWithItsContents(MemoryKind kind)
    {
        MappedArea area = Cached(kind);
        Collapse(area);
        Assert.Equal((PageSize.Huge, PageSize.Huge), (Bed.Vma(area.Range).ShmemHuge, Shmem()));
        AssertNumbers(area);
        Assert.Equal(PageSize.Huge / 512, Testbed.Blocks(area));
    }

    [Fact]
    public void Collapse_AlreadyHuge_SucceedsAgain()
    {
        MappedArea area = Cached();
        Collapse(area);
        Collapse(area);
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).ShmemHuge);
    }

    [Fact]
    public void Collapse_FileWithHoles_TheyReadZeroAndAreCharged()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared, SmallInHuge);
        Bed.Store(area.At(5), 55);
        Collapse(area);
        Assert.Equal((55UL, 0UL), (Bed.Load(area.At(5)), Bed.Load(area.At(6))));
        Assert.Equal(PageSize.Huge / 512, Testbed.Blocks(area));
    }

    [Fact]
    public void Collapse_SomePagesSwappedOut_TheyComeBack()
    {
        MappedArea area = Cached();
        Bed.SwapOut(area.Pages(30, 20));
        Collapse(area);
        AssertNumbers(area);
    }

    [Fact]
    public void Collapse_FallocatedPages_ReadZero()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared, SmallInHuge);
        Expect.Ok(area.Backing.Allocate(0, PageSize.Huge));
        Collapse(area);
        Assert.Equal((0UL, 0UL), (Bed.Load(area.At(0)), Bed.Load(area.At(511))));
    }

    [Fact]
    public void Collapse_EmptyFile_EINVAL()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared, SmallInHuge);
        Expect.Fails(HugePages.Collapse(Bed, area.Range), Errno.EINVAL);
        Assert.Equal(0UL, Testbed.Blocks(area));
    }

    // The huge page reaches beyond the end, and where it is mapped whole, nothing is said of the end any more.
    [Fact]
    [Section("6.2")]
    public void Collapse_FileThatEndsInTheMiddle_MappedWholeAndNoBusErrorBeyondTheEnd()
    {
        MappedArea area = Bed.MapBeyondTheEnd(MemoryKind.ShmemShared, filePages: 100, pages: SmallInHuge);
        Bed.Store(area.At(5), 55);
        Assert.Equal(AccessFault.BusError, Bed.StartLoad(area.At(200)).Await().Fault);
        Collapse(area);
        Assert.Equal((PageSize.Huge, PageSize.Huge / 512), (Bed.Vma(area.Range).ShmemHuge, Testbed.Blocks(area)));
        Assert.Equal((55UL, 0UL), (Bed.Load(area.At(5)), Bed.Load(area.At(200))));
        MappedArea alias = Bed.Alias(area);
        Assert.Equal(AccessFault.BusError, Bed.StartLoad(alias.At(200)).Await().Fault);
        Assert.Equal((55UL, 0UL), (Bed.Load(alias.At(5)), Bed.Load(alias.At(200))));
        Expect.Ok(area.Backing.Truncate(50 * PageSize.Small));
        Assert.Equal(AccessFault.BusError, Bed.StartLoad(area.At(60)).Await().Fault);
        Assert.Equal((55UL, 50 * PageSize.Small / 512), (Bed.Load(area.At(5)), Testbed.Blocks(area)));
    }

    [Fact]
    public void Collapse_FileOutOfStepWithTheMapping_EINVAL()
    {
        IMemoryFile file = Bed.File(MemoryKind.ShmemShared, 2 * SmallInHuge);
        MappedArea area = Bed.MapFile(MemoryKind.ShmemShared, file, SmallInHuge, offset: PageSize.Small);
        Bed.Store(area.At(0), 1);
        Expect.Fails(HugePages.Collapse(Bed, area.Range), Errno.EINVAL);
    }

    // Another mapping of the file finds the huge page when it faults.
    [Fact]
    public void Load_InAnotherMapping_OneFaultMapsItWhole()
    {
        MappedArea area = Cached();
        Collapse(area);
        MappedArea alias = Bed.Alias(area);
        Assert.Equal(1, Bed.CountLoadFaults(alias.At(9)).Minor);
        Assert.Equal(PageSize.Huge, Bed.Vma(alias.Range).ShmemHuge);
        Assert.Equal((0, 0), ((int)Bed.CountLoadFaults(alias.At(300)).Minor, (int)Bed.CountStoreFaults(alias.At(301)).Minor));
        AssertSharing(area, alias);
    }

    [Fact]
    public void Store_InAPrivateMapping_CopiesOnePageAndTheFileStays()
    {
        MappedArea area = Cached();
        Collapse(area);
        MappedArea own = Bed.MapFile(MemoryKind.ShmemPrivate, area.Backing, SmallInHuge);
        Assert.Equal(7UL, Bed.Load(own.At(7)));
        Bed.Store(own.At(8), 80);
        Assert.Equal((80UL, 8UL, 9UL), (Bed.Load(own.At(8)), Bed.Load(area.At(8)), Bed.Load(own.At(9))));
        Assert.Equal((0UL, PageSize.Small), (Bed.Vma(own.Range).ShmemHuge, Bed.Vma(own.Range).Anonymous));
    }

    // A mapping that had small entries is cleared of them, and faults the huge page in.
    [Fact]
    public void Collapse_OtherMappingHasSmallEntries_ItFaultsTheHugePageIn()
    {
        MappedArea area = Cached();
        MappedArea alias = Bed.Alias(area);
        AssertNumbers(alias);
        Collapse(area);
        AssertNumbers(alias);
        Assert.Equal(PageSize.Huge, Bed.Vma(alias.Range).ShmemHuge);
    }

    // Once written to, a private mapping keeps its table, though nothing of that is left.
    [Fact]
    public void Collapse_PrivateMappingWasWrittenTo_ItGoesOnWithSmallEntries()
    {
        MappedArea area = Cached();
        MappedArea own = Bed.MapFile(MemoryKind.ShmemPrivate, area.Backing, SmallInHuge);
        Bed.Store(own.At(3), 80);
        Expect.Ok(Bed.Space.Advise(own.Page(3), Advice.DontNeed));
        Collapse(area);
        Assert.Equal((3UL, 400UL), (Bed.Load(own.At(3)), Bed.Load(own.At(400))));
        Assert.Equal((0UL, PageSize.Huge), (Bed.Vma(own.Range).ShmemHuge, Bed.Vma(own.Range).Resident));
    }

    [Fact]
    public void PunchHole_Middle_SplitsAndOnlyThatIsGone()
    {
        MappedArea area = Cached();
        Collapse(area);
        Expect.Ok(area.Backing.PunchHole(10 * PageSize.Small, 3 * PageSize.Small));
        Assert.Equal((9UL, 0UL, 0UL, 13UL, 511UL), (Number(area, 9), Number(area, 10), Number(area, 12), Number(area, 13), Number(area, 511)));
        Assert.Equal((0UL, (PageSize.Huge - PageSize.Small) / 512), (Bed.Vma(area.Range).ShmemHuge, Testbed.Blocks(area)));
    }

    [Fact]
    public void PunchHole_Whole_Gone()
    {
        MappedArea area = Cached();
        Collapse(area);
        Expect.Ok(area.Backing.PunchHole(0, PageSize.Huge));
        Assert.Equal((0UL, 0UL), (Testbed.Blocks(area), Shmem()));
        Assert.Equal(0UL, Bed.Load(area.At(4)));
    }

    [Fact]
    public void Truncate_Middle_SplitsAndTheRestStays()
    {
        MappedArea area = Cached();
        Collapse(area);
        Expect.Ok(area.Backing.Truncate((100 * PageSize.Small) + 8));
        Assert.Equal((99UL, 100UL), (Number(area, 99), Number(area, 100)));
        Assert.Equal(AccessFault.BusError, Bed.StartLoad(area.At(101)).Await().Fault);
        Assert.Equal(101 * PageSize.Small / 512, Testbed.Blocks(area));
        Expect.Ok(area.Backing.Truncate(PageSize.Huge));
        Assert.Equal((0UL, 0UL), (Bed.Load(area.At(100, 8)), Number(area, 101)));
    }

    [Fact]
    public void ReadAndWrite_CallsOnTheFile_SeeTheHugePage()
    {
        MappedArea area = Cached();
        Collapse(area);
        byte[] bytes = new byte[8];
        Assert.Equal(8, Expect.Ok(area.Backing.Read(300 * PageSize.Small, bytes)));
        Assert.Equal(300UL, System.BitConverter.ToUInt64(bytes));
        Assert.Equal(8, Expect.Ok(area.Backing.Write(301 * PageSize.Small, bytes)));
        Assert.Equal((300UL, 300UL, 302UL), (Number(area, 300), Number(area, 301), Number(area, 302)));
    }

    [Fact]
    public void DontNeed_PartOfASharedMapping_TheContentsStayInTheFile()
    {
        MappedArea area = Cached();
        Collapse(area);
        Expect.Ok(Bed.Space.Advise(area.Pages(4, 2), Advice.DontNeed));
        Assert.Equal(0UL, Bed.Vma(area.Range).ShmemHuge);
        AssertNumbers(area);
    }

    [Fact]
    public void Protect_WholeAndPart_ContentsStay()
    {
        MappedArea area = Cached();
        Collapse(area);
        Expect.Ok(Bed.Space.Protect(area.Range, Protections.Read));
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).ShmemHuge);
        Assert.Equal(AccessFault.Protection, Bed.StartStore(area.At(4)).Await().Fault);
        Expect.Ok(Bed.Space.Protect(area.Pages(0, 5), Protections.ReadWrite));
        Bed.Store(area.At(4), 40);
        Assert.Equal((40UL, 5UL), (Number(area, 4), Number(area, 5)));
    }

    [Fact]
    public void Remap_WholeToAnAlignedPlace_ContentsFollow()
    {
        MappedArea area = Cached();
        Collapse(area);
        VirtualAddress to = Bed.NextPlace();
        Assert.Equal(to, Expect.Ok(Bed.Space.Remap(area.Range, PageSize.Huge, RemapOptions.MayMove | RemapOptions.Fixed, to)));
        AssertNumbers(area with { Range = new(to, PageSize.Huge) });
        Assert.Equal(PageSize.Huge, Bed.Vma(new(to, PageSize.Huge)).ShmemHuge);
    }

    [Fact]
    public void Fork_HugeFilePage_BothSidesShareIt()
    {
        MappedArea area = Cached();
        Collapse(area);
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        using IMemoryAccess inChild = Expect.Ok(child.OpenAccess());
        PendingAccess.Store(inChild, area.At(3), 30).AwaitValue();
        Assert.Equal(30UL, Number(area, 3));
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).ShmemHuge);
    }

    [Fact]
    public void PageOut_HugeFilePage_EveryPageComesBack()
    {
        MappedArea area = Cached();
        Collapse(area);
        Bed.SwapOut(area.Range);
        AssertNumbers(area);
    }

    // Write-protection of a file is kept page by page.
    [Fact]
    [Section("8.4")]
    public void WriteProtect_HugeFilePage_SmallEntriesAndOneMessageForAStore()
    {
        MappedArea area = Cached();
        Collapse(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.Equal(0UL, Bed.Vma(area.Range).ShmemHuge);
        Assert.True(Bed.IsProtected(area, 20));
        PendingAccess store = Bed.StartStore(area.At(20, 16), 1);
        monitor.ExpectFault(PageFaultFlags.Write | PageFaultFlags.WriteProtect, area.At(20));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(20), WriteProtectModes.None));
        store.AwaitValue();
        Assert.Equal((20UL, 21UL), (Number(area, 20), Number(area, 21)));
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Collapse_WriteProtectArmedMapping_TheFileIsCollapsedAndItsEntriesStaySmall()
    {
        MappedArea area = Cached();
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(20), WriteProtectModes.Protect));
        MappedArea alias = Bed.Alias(area);
        Collapse(alias);
        Assert.Equal(PageSize.Huge, Bed.Vma(alias.Range).ShmemHuge);
        Assert.True(Bed.IsProtected(area, 20));
        AssertNumbers(area);
        Assert.Equal(0UL, Bed.Vma(area.Range).ShmemHuge);
        PendingAccess store = Bed.StartStore(area.At(20, 16), 1);
        monitor.ExpectFault(PageFaultFlags.Write | PageFaultFlags.WriteProtect, area.At(20));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(20), WriteProtectModes.None));
        store.AwaitValue();
    }

    [Theory]
    [InlineData(RegisterModes.Missing)]
    [InlineData(RegisterModes.WriteProtect)]
    public void Load_HugePageOfTheCacheInAnArmedMapping_MappedWithoutAMessage(RegisterModes modes)
    {
        MappedArea area = Cached();
        MappedArea alias = Bed.Alias(area);
        Collapse(alias);
        Expect.Ok(Bed.Space.Unmap(area.Range));
        MappedArea armed = Bed.Alias(alias);
        FaultMonitor monitor = Bed.Watch(armed, modes);
        AssertNumbers(armed);
        Assert.Equal(PageSize.Huge, Bed.Vma(armed.Range).ShmemHuge);
        monitor.ExpectNothingQueued();
    }

    private static void AssertSharing(MappedArea one, MappedArea other) => Assert.Same(one.Backing, other.Backing);

    private void Collapse(MappedArea area) => Expect.Ok(HugePages.Collapse(Bed, area.Range));

    private ulong Shmem() => Expect.Ok(Bed.Space.Inspector.GetCounters()).Shmem;

    private ulong Number(MappedArea area, int page) => Bed.Load(area.At(page));

    private void AssertNumbers(MappedArea area) => Assert.All(Enumerable.Range(0, 8), i => Assert.Equal((ulong)i * 70, Number(area, i * 70)));

    /// <summary>A file of 2 MiB in the page cache, each page of which begins with its number.</summary>
    private MappedArea Cached(MemoryKind kind = MemoryKind.ShmemShared)
    {
        MappedArea area = Bed.Map(kind, SmallInHuge);
        MappedArea alias = Bed.Alias(area);
        HugePages.WriteNumbers(Bed, alias);
        Expect.Ok(Bed.Space.Unmap(alias.Range));
        return area;
    }
}
