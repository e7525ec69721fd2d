using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Where hugetlb memory differs from memory made of small pages.</summary>
[Section("7")]
public abstract class HugetlbConformance(EngineHost host) : ConformanceSuite(host)
{
    private const PageFaultFlags WriteProtected = PageFaultFlags.Write | PageFaultFlags.WriteProtect;

    /// <summary>The fills hugetlb knows, for both kinds.</summary>
    public static TheoryData<FillVerb, MemoryKind> Fills
    {
        get
        {
            TheoryData<FillVerb, MemoryKind> rows = [];
            foreach (FillVerb verb in (FillVerb[])[FillVerb.Copy, FillVerb.Continue, FillVerb.Poison])
            {
                rows.Add(verb, MemoryKind.HugetlbShared);
                rows.Add(verb, MemoryKind.HugetlbPrivate);
            }

            return rows;
        }
    }

    // Found inside the page loop, so the field is written.
    [Theory]
    [MemberData(nameof(Fills))]
    public void Fill_PartOfAHugePage_EINVALInTheField(FillVerb verb, MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 2);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(verb.Issue(monitor.Uffd, area.Range.Slice(PageSize.Small, PageSize.Huge)), Errno.EINVAL);
        Expect.Fails(verb.Issue(monitor.Uffd, area.Range.Slice(0, PageSize.Small)), Errno.EINVAL);
        Expect.Fails(verb.Issue(monitor.Uffd, area.Range.Slice(0, PageSize.Huge + PageSize.Small)), Errno.EINVAL);
        Assert.Equal(0UL, Bed.Pagemap(area, 0).Value);
    }

    // The install rule: writable at once, except the page of the cache in a private mapping.
    [Theory]
    [InlineData(MemoryKind.HugetlbShared, FillVerb.Copy, 0)]
    [InlineData(MemoryKind.HugetlbPrivate, FillVerb.Copy, 0)]
    [InlineData(MemoryKind.HugetlbShared, FillVerb.Continue, 0)]
    [InlineData(MemoryKind.HugetlbPrivate, FillVerb.Continue, 1)]
    public void StoreAfterInstall_Writable_FaultsAsTabulated(MemoryKind kind, FillVerb verb, int faults)
    {
        (MappedArea area, FaultMonitor monitor) = Installed(kind, verb, RegisterModes.Missing, FillModes.None);
        Assert.Equal(faults, Bed.CountStoreFaults(area.At(0)).Minor);
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [InlineData(MemoryKind.HugetlbShared, FillVerb.Copy)]
    [InlineData(MemoryKind.HugetlbPrivate, FillVerb.Copy)]
    [InlineData(MemoryKind.HugetlbShared, FillVerb.Continue)]
    [InlineData(MemoryKind.HugetlbPrivate, FillVerb.Continue)]
    public void StoreAfterInstall_Protected_MessageThenTheStore(MemoryKind kind, FillVerb verb)
    {
        (MappedArea area, FaultMonitor monitor) = Installed(kind, verb, RegisterModes.Missing | RegisterModes.WriteProtect, FillModes.WriteProtect);
        Assert.True(Bed.Pagemap(area, 0) is { IsPresent: true, IsUserfaultfdWriteProtected: true });
        PendingAccess store = Bed.StartStore(area.At(0), 3);
        monitor.ExpectFault(WriteProtected, area.At(0));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        store.AwaitValue();
        Assert.Equal(3UL, Bed.Load(area.At(0)));
    }

    // Not in the resident counters, but in smaps under its own names.
    [Theory]
    [InlineData(MemoryKind.HugetlbShared)]
    [InlineData(MemoryKind.HugetlbPrivate)]
    public void Copy_Installed_CountedAsHugetlbOnly(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        ResidentCounters before = Expect.Ok(Bed.Space.Inspector.GetCounters());
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Huge, 1)), PageSize.Huge);
        Assert.Equal(before, Expect.Ok(Bed.Space.Inspector.GetCounters()));
        VmaInfo vma = Bed.Vma(area.Range);
        Assert.Equal((0UL, PageSize.Huge), (vma.Resident, vma.PrivateHugetlb + vma.SharedHugetlb));
    }

    [Fact]
    public void Copy_Shared_FileHasThePage()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 2);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Copy(area.At(1), Pattern.Bytes(PageSize.Huge, 1)), PageSize.Huge);
        Assert.Equal(PageSize.Huge / 512, Testbed.Blocks(area));
        Bed.AssertPattern(Bed.Alias(area), 1, seed: 1);
    }

    // 8.1: the marker on hugetlb shows the write-protect bit alone.
    [Theory]
    [Section("8.1")]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void WriteProtect_AbsentPage_PagemapShowsTheBitAlone(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.Equal(0x0200_0000_0000_0000UL, Bed.Pagemap(area, 0).Value);
    }

    [Fact]
    public void DontNeed_SharedPage_MinorAgainWithContentsKept()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 1);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.Minor);
        Expect.Filled(monitor.Uffd.Continue(area.Page(0)), PageSize.Huge);
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.DontNeed));
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.Minor, area.At(0));
        Expect.Filled(monitor.Uffd.Continue(area.Page(0)), PageSize.Huge);
        Assert.Equal(Pattern.Word(0, 0), load.AwaitValue());
    }

    // A length of 4 KiB is rounded down to nothing: no error, no effect, and no event either.
    [Fact]
    public void DontNeed_SmallPartOfAHugePage_SucceedsWithoutEffectOrEvent()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 1);
        Bed.Store(area.At(0), 5);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventRemove);
        Expect.Ok(Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Range.Slice(0, PageSize.Small), Advice.DontNeed)).Await());
        monitor.ExpectNothingQueued();
        Assert.True(Bed.Pagemap(area, 0).IsPresent);
        Assert.Equal(5UL, Bed.Load(area.At(0)));
    }

    [Fact]
    public void DontNeed_OneAndABitHugePages_EventAndEffectForTheWholePageOnly()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 2);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventRemove);
        Assert.Equal(Pattern.Word(1, 0), Bed.Load(area.At(1)));
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Range.Slice(0, PageSize.Huge + PageSize.Small), Advice.DontNeed));
        monitor.ExpectEvent(UserfaultfdEvent.Remove, area.Page(0));
        Expect.Ok(advise.Await());
        Assert.True(Bed.Pagemap(area, 1).IsPresent);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Remove_SharedPage_MissingAgain(bool throughTheFile)
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 1);
        Bed.Store(area.At(0), 5);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.Minor);
        Expect.Ok(throughTheFile ? area.Backing.PunchHole(0, PageSize.Huge) : Bed.Space.Advise(area.Range, Advice.Remove));
        PendingAccess load = Bed.StartLoad(area.At(0));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Huge, 1)), PageSize.Huge);
        Assert.Equal(Pattern.Word(1, 0), load.AwaitValue());
    }

    // Mapping a hugetlb file writably makes it as long as the mapping; a shmem file stays as it is.
    [Theory]
    [InlineData(MemoryKind.HugetlbShared, 2)]
    [InlineData(MemoryKind.HugetlbPrivate, 2)]
    [InlineData(MemoryKind.ShmemShared, 1)]
    [InlineData(MemoryKind.ShmemPrivate, 1)]
    public void Map_LongerThanTheFile_GrowsHugetlbOnly(MemoryKind kind, int pagesAfter)
    {
        IMemoryFile file = Bed.File(kind, pages: 1);
        Bed.MapFile(kind, file, pages: 2);
        Assert.Equal((ulong)pagesAfter * kind.PageBytes(), Expect.Ok(file.GetStatus()).Size);
    }

    [Fact]
    public void Access_WholeHugePageAfterOneFill_OneMessageOnly()
    {
        MappedArea area = Bed.Map(MemoryKind.HugetlbShared, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        ulong[] offsets = [8, PageSize.Huge / 2, PageSize.Huge - 8];
        PendingAccess[] loads = [.. offsets.Select(offset => Bed.StartLoad(area.At(0, offset)))];
        monitor.AwaitPending(3);
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Huge, 1)), PageSize.Huge);
        Assert.Equal(offsets.Select(offset => Pattern.Word(1, offset)), loads.Select(load => load.AwaitValue()));
        monitor.ExpectNothingQueued();
    }

    [Fact]
    public void Anonymous_HugetlbMapping_RegistersFaultsAndFills()
    {
        Bed.NeedHugePages();
        var request = MapRequest.PrivateAnonymous(PageSize.Huge);
        AddressRange range = Bed.MapAt(Bed.NextPlace(), request with { Options = request.Options | MapOptions.HugeTlb });
        FaultMonitor monitor = Bed.Open();
        monitor.Register(range, RegisterModes.Missing | RegisterModes.Minor);
        PendingAccess store = Bed.StartStore(range.Start + PageSize.Small, 4);
        monitor.ExpectFault(PageFaultFlags.Write, range.Start);
        Expect.Filled(monitor.Uffd.Copy(range.Start, Pattern.Bytes(PageSize.Huge, 1)), PageSize.Huge);
        store.AwaitValue();
        Assert.Equal((Pattern.Word(1, 0), 4UL), (Bed.Load(range.Start), Bed.Load(range.Start + PageSize.Small)));
    }

    private (MappedArea Area, FaultMonitor Monitor) Installed(MemoryKind kind, FillVerb verb, RegisterModes modes, FillModes fill)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        if (verb == FillVerb.Continue)
        {
            Bed.FillCache(area);
        }

        FaultMonitor monitor = Bed.Watch(area, modes);
        Expect.Filled(verb.Issue(monitor.Uffd, area.Page(0), modes: fill), area.PageBytes);
        return (area, monitor);
    }
}
