using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Userfaultfd on transparent huge pages of private memory: protection of the whole and of parts, moves, fills beside them, scans.</summary>
[Section("10")]
public abstract class HugeUserfaultfdConformance(EngineHost host) : ConformanceSuite(host)
{
    private const int SmallInHuge = HugePages.SmallPages;
    private const PageFaultFlags WriteProtectFault = PageFaultFlags.Write | PageFaultFlags.WriteProtect;

    [Fact]
    [Section("8.4")]
    public void Unprotect_WholeProtectedHugePage_StaysHugeAndNoFaultIsNeeded()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.True(Bed.IsProtected(area, 0) && Bed.IsProtected(area, 511));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        Assert.Equal((false, PageSize.Huge), (Bed.IsProtected(area, 300), Bed.Vma(area.Range).AnonymousHuge));
        Assert.Equal(0, Bed.CountStoreFaults(area.At(300)).Minor);
    }

    [Fact]
    [Section("8.4")]
    public void Load_ProtectedHugePage_NoMessage()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.Equal(7UL, Bed.Load(area.At(7)));
        monitor.ExpectNothingQueued();
    }

    [Fact]
    [Section("8.5")]
    public void Store_AsynchronouslyProtectedHugePage_SplitsAndOnlyThatPageIsWritten()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectAsync);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Bed.Store(area.At(9), 90);
        Assert.Equal(0UL, Bed.Vma(area.Range).AnonymousHuge);
        PageRegion written = Assert.Single(Scan(area, PageCategories.Written, PagemapScanFlags.None));
        Assert.Equal(area.Page(9), written.Range);
        Assert.Equal((8UL, 90UL, 10UL), (Bed.Load(area.At(8)), Bed.Load(area.At(9)), Bed.Load(area.At(10))));
    }

    [Fact]
    [Section("8.6")]
    public void Scan_ProtectingAHugePage_WholeStaysHugePartSplits()
    {
        (MappedArea area, FaultMonitor _) = Watched(RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectAsync);
        PageRegion all = Assert.Single(Scan(area, PageCategories.Written, PagemapScanFlags.WriteProtectMatching));
        Assert.Equal((area.Range, PageSize.Huge), (all.Range, Bed.Vma(area.Range).AnonymousHuge));
        Assert.Empty(Scan(area, PageCategories.Written, PagemapScanFlags.None));
        Bed.Store(area.At(3), 30);
        PageRegion one = Assert.Single(Scan(area, PageCategories.Written, PagemapScanFlags.WriteProtectMatching));
        Assert.Equal(area.Page(3), one.Range);
        Assert.True(Bed.IsProtected(area, 3));
    }

    [Fact]
    [Section("8.6")]
    public void Scan_ProtectingPartOfAHugePage_SplitsItAndProtectsThatPart()
    {
        (MappedArea area, FaultMonitor _) = Watched(RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectAsync);
        MappedArea part = area with { Range = area.Pages(16, 16) };
        Assert.Equal(part.Range, Assert.Single(Scan(part, PageCategories.Written, PagemapScanFlags.WriteProtectMatching)).Range);
        Assert.Equal((false, true, true, false), (Bed.IsProtected(area, 15), Bed.IsProtected(area, 16), Bed.IsProtected(area, 31), Bed.IsProtected(area, 32)));
        Assert.Equal(0UL, Bed.Vma(area.Range).AnonymousHuge);
    }

    [Fact]
    [Section("2.6")]
    public void Unregister_ProtectedHugePage_ClearedAndStillHuge()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
        Assert.Equal((false, PageSize.Huge), (Bed.IsProtected(area, 5), Bed.Vma(area.Range).AnonymousHuge));
        Bed.Store(area.At(5), 50);
        monitor.ExpectNothingQueued();
    }

    [Fact]
    [Section("8.3")]
    public void Remap_ProtectedHugePageWithoutTheEvent_BitsAreGone()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        VirtualAddress to = Bed.NextPlace();
        Expect.Ok(Bed.Space.Remap(area.Range, PageSize.Huge, RemapOptions.MayMove | RemapOptions.Fixed, to));
        Assert.False(Bed.Pagemap(to).IsUserfaultfdWriteProtected);
        Bed.Store(to, 1);
        Assert.Equal(PageSize.Huge, Bed.Vma(new(to, PageSize.Huge)).AnonymousHuge);
    }

    [Fact]
    [Section("8.3")]
    public void Fork_ProtectedHugePageWithoutTheEvent_ParentKeepsChildIsCleared()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        Assert.True(Bed.IsProtected(area, 100));
        Assert.False(Testbed.PagemapOf(child, area.At(100)).IsUserfaultfdWriteProtected);
        PendingAccess store = Bed.StartStore(area.At(100), 1);
        monitor.ExpectFault(WriteProtectFault, area.At(100));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.None));
        store.AwaitValue();
        using IMemoryAccess inChild = Expect.Ok(child.OpenAccess());
        Assert.Equal(100UL, PendingAccess.Load(inChild, area.At(100)).AwaitValue());
    }

    [Fact]
    [Section("8.3")]
    public void DontNeed_WholeProtectedHugePage_ProtectionIsLost()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.DontNeed));
        Bed.Store(area.At(5), 50);
        monitor.ExpectNothingQueued();
        Assert.Equal(0UL, Bed.Load(area.At(6)));
    }

    [Fact]
    [Section("8.3")]
    public void PageOut_ProtectedHugePage_TheBitComesBackWithThePages()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Bed.SwapOut(area.Range);
        Assert.True(Bed.IsProtected(area, 9));
        PendingAccess store = Bed.StartStore(area.At(9), 90);
        monitor.ExpectFault(WriteProtectFault, area.At(9));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(9), WriteProtectModes.None));
        store.AwaitValue();
        Assert.Equal((90UL, 10UL), (Bed.Load(area.At(9)), Bed.Load(area.At(10))));
    }

    [Fact]
    public void Register_WriteProtectOverUntouchedAdvisedMemory_StoreGetsAHugePageWithoutAMessage()
    {
        MappedArea area = HugePages.Advised(Bed);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Bed.Store(area.At(4), 40);
        HugePages.SkipUnlessHuge(Bed, area);
        monitor.ExpectNothingQueued();
    }

    [Fact]
    [Section("4.3")]
    public void Copy_WholeHugePagesWorth_SmallPages()
    {
        MappedArea area = HugePages.Advised(Bed);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Huge, 3)), PageSize.Huge);
        Assert.Equal((0UL, PageSize.Huge), (Bed.Vma(area.Range).AnonymousHuge, Bed.Vma(area.Range).Resident));
    }

    [Theory]
    [Section("4.9")]
    [InlineData(false)]
    [InlineData(true)]
    public void Move_WholeHugePageThatIsProtected_StaysHugeAndTheBitIsDropped(bool targetIsProtecting)
    {
        (MappedArea source, FaultMonitor monitor) = Watched(RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(source.Range, WriteProtectModes.Protect));
        MappedArea target = HugePages.Advised(Bed);
        monitor.Register(target.Range, targetIsProtecting ? RegisterModes.Missing | RegisterModes.WriteProtect : RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Huge), PageSize.Huge);
        Assert.Equal((false, PageSize.Huge), (Bed.IsProtected(target, 8), Bed.Vma(target.Range).AnonymousHuge));
        Bed.Store(target.At(8), 80);
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [Section("4.9")]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    public void Move_OneSideUnaligned_SplitsAndContentsArrive(int sourceSkip, int targetSkip)
    {
        MappedArea source = HugePages.Numbered(Bed);
        MappedArea target = HugePages.Advised(Bed, hugePages: 2);
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing);
        ulong length = PageSize.Huge - ((ulong)sourceSkip * PageSize.Small);
        Expect.Filled(monitor.Uffd.Move(target.At(targetSkip), source.At(sourceSkip), length), length);
        Assert.Equal(0UL, Bed.Vma(target.Range).AnonymousHuge);
        Assert.Equal((100UL, 511UL), (Bed.Load(target.At(targetSkip + 100 - sourceSkip)), Bed.Load(target.At(targetSkip + 511 - sourceSkip))));
    }

    [Fact]
    [Section("4.9")]
    public void Move_OntoAHugePage_EEXIST()
    {
        MappedArea source = HugePages.Numbered(Bed);
        (MappedArea target, FaultMonitor monitor) = Watched(RegisterModes.Missing);
        Expect.Fails(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Huge), Errno.EEXIST);
        Expect.Fails(monitor.Uffd.Move(target.At(5), source.At(0), PageSize.Small), Errno.EEXIST);
        Assert.Equal(4UL, Bed.Load(source.At(4)));
    }

    [Fact]
    [Section("4.9")]
    public void Move_HugePageSharedByFork_EBUSY()
    {
        MappedArea source = HugePages.Numbered(Bed);
        MappedArea target = HugePages.Advised(Bed);
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing);
        Bed.OwnSpace(Expect.Ok(Bed.Space.Fork()));
        Expect.Fails(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Huge), Errno.EBUSY);
        Assert.Equal(4UL, Bed.Load(source.At(4)));
    }

    [Theory]
    [Section("4.9")]
    [InlineData(MoveModes.None)]
    [InlineData(MoveModes.AllowSourceHoles)]
    public void Move_HugeHoleBetweenHugePages_AsTheModeSays(MoveModes modes)
    {
        MappedArea source = HugePages.Advised(Bed, hugePages: 3);
        Bed.Store(source.At(1), 1);
        Bed.Store(source.At((2 * SmallInHuge) + 1), 2);
        Testbed.SkipIf(Bed.Vma(source.Range).AnonymousHuge == 2 * PageSize.Huge ? null : "The engine gave no transparent huge page.");
        MappedArea target = HugePages.Advised(Bed, hugePages: 3);
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing);
        FillResult result = monitor.Uffd.Move(target.At(0), source.At(0), 3 * PageSize.Huge, modes);
        if (modes == MoveModes.None)
        {
            Expect.Partial(result, PageSize.Huge);
        }
        else
        {
            Expect.Filled(result, 3 * PageSize.Huge);
            Assert.Equal((2 * PageSize.Huge, 2UL), (Bed.Vma(target.Range).AnonymousHuge, Bed.Load(target.At((2 * SmallInHuge) + 1))));
        }

        Assert.Equal(1UL, Bed.Load(target.At(1)));
    }

    // Discarding all of an aligned 2 MiB gives its table back (since 6.14), discarding the only page of it does not.
    [Theory]
    [Section("4.9")]
    [InlineData(SmallInHuge, PageSize.Huge)]
    [InlineData(2, 0)]
    public void Move_WholeHugePageToWhereAPageWasBefore_StaysHugeWhereTheTableIsGone(int discarded, ulong huge)
    {
        MappedArea source = HugePages.Numbered(Bed);
        MappedArea target = Bed.MapAnonymous(SmallInHuge);
        Bed.Store(target.At(1), 1);
        Expect.Ok(Bed.Space.Advise(target.Pages(0, discarded), Advice.DontNeed));
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Huge), PageSize.Huge);
        Assert.All(Enumerable.Range(0, 8), i => Assert.Equal((ulong)i * 70, Bed.Load(target.At(i * 70))));
        Assert.Equal(huge, Bed.Vma(target.Range).AnonymousHuge);
    }

    [Fact]
    [Section("9.2")]
    public void DontNeed_HugePageWithTheRemoveEvent_HugeUntilTheEventIsRead()
    {
        (MappedArea area, FaultMonitor monitor) = Watched(RegisterModes.Missing, UserfaultfdFeatures.EventRemove);
        PendingWork<SystemResult> call = Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Pages(2, 3), Advice.DontNeed));
        Testbed.Until("the event is queued", () => monitor.Uffd.Zeropage(area.Page(0)).Errno == Errno.EAGAIN);
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).AnonymousHuge);
        monitor.ExpectEvent(UserfaultfdEvent.Remove, area.Pages(2, 3));
        Expect.Ok(call.Await());
        Assert.Equal((0UL, true, false), (Bed.Vma(area.Range).AnonymousHuge, Bed.Pagemap(area, 1).IsPresent, Bed.Pagemap(area, 2).IsPresent));
    }

    private (MappedArea Area, FaultMonitor Monitor) Watched(RegisterModes modes, UserfaultfdFeatures features = UserfaultfdFeatures.None)
    {
        MappedArea area = HugePages.Numbered(Bed);
        return (area, Bed.Watch(area, modes, features));
    }

    private PageRegion[] Scan(MappedArea area, PageCategories wanted, PagemapScanFlags flags)
    {
        var regions = new PageRegion[8];
        var request = new PagemapScanRequest { Range = area.Range, Flags = flags, Mask = wanted, Return = wanted };
        PagemapScanResult result = Bed.Space.Inspector.Scan(in request, regions);
        Assert.Equal(Errno.None, result.Errno);
        return regions[..result.Count];
    }
}
