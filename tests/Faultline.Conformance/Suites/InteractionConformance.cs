using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Userfaultfd beside the rest of memory management: transparent huge pages, collapse, limits, locked memory, several mappings at once.</summary>
[Section("10")]
public abstract class InteractionConformance(EngineHost host) : ConformanceSuite(host)
{
    // An old length of zero asks for a second mapping of the same; its place is cleared first, and with it what was to be duplicated.
    [Fact]
    public void Remap_DuplicateOntoItself_EFAULTAndUnmapped()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemShared, pages: 2);
        const RemapOptions Onto = RemapOptions.MayMove | RemapOptions.Fixed;
        Expect.Fails(Bed.Space.Remap(area.Range with { Length = 0 }, PageSize.Small, Onto, area.At(0)), Errno.EFAULT);
        Assert.Equal(area.Page(1), Bed.Vma(area.Range).Range);
    }

    private const int SmallInHuge = (int)(PageSize.Huge / PageSize.Small);

    // An armed area gets no huge page of its own accord: one small message, one small page.
    [Fact]
    public void Access_ArmedAreaWithHugePageAdvice_OneSmallMessageAndOneSmallPage()
    {
        MappedArea area = Advised();
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingAccess store = Bed.StartStore(area.At(7, 16), 1);
        monitor.ExpectFault(PageFaultFlags.Write, area.At(7));
        Expect.Filled(monitor.Uffd.Copy(area.At(7), Pattern.Bytes(PageSize.Small, 1)), PageSize.Small);
        store.AwaitValue();
        Assert.Equal((PageSize.Small, 0UL), (Bed.Vma(area.Range).Resident, Bed.Vma(area.Range).AnonymousHuge));
        PendingAccess neighbour = Bed.StartLoad(area.At(8));
        monitor.ExpectFault(PageFaultFlags.None, area.At(8));
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(8)), PageSize.Small);
        neighbour.AwaitValue();
    }

    [Theory]
    [InlineData(FillVerb.Copy)]
    [InlineData(FillVerb.Zeropage)]
    [InlineData(FillVerb.Poison)]
    public void Fill_OntoAHugeMapping_EEXIST(FillVerb verb)
    {
        MappedArea area = Huge();
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Fails(verb.Issue(monitor.Uffd, area.Page(3)), Errno.EEXIST);
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).AnonymousHuge);
    }

    [Fact]
    public void DontNeed_OnePageOfAHugeMapping_SplitsAndFaultsThere()
    {
        MappedArea area = Huge();
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Ok(Bed.Space.Advise(area.Page(9), Advice.DontNeed));
        Assert.Equal(0UL, Bed.Vma(area.Range).AnonymousHuge);
        Assert.True(Bed.Pagemap(area, 8).IsPresent);
        PendingAccess load = Bed.StartLoad(area.At(9));
        monitor.ExpectFault(PageFaultFlags.None, area.At(9));
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(9)), PageSize.Small);
        Assert.Equal(0UL, load.AwaitValue());
    }

    // 4.9: aligned and whole, a huge mapping moves as it is; else it is split.
    [Fact]
    [Section("4.9")]
    public void Move_WholeHugeMapping_StaysHuge()
    {
        MappedArea source = Huge();
        MappedArea target = Advised();
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Huge), PageSize.Huge);
        Assert.Equal((PageSize.Huge, 0UL), (Bed.Vma(target.Range).AnonymousHuge, Bed.Vma(source.Range).Resident));
        Assert.Equal(5UL, Bed.Load(target.At(0)));
    }

    [Fact]
    [Section("4.9")]
    public void Move_PartOfAHugeMapping_SplitsIt()
    {
        MappedArea source = Huge();
        Bed.Store(source.At(1), 6);
        Bed.Store(source.At(2), 7);
        MappedArea target = Advised();
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), 3 * PageSize.Small), 3 * PageSize.Small);
        Assert.Equal((0UL, 3 * PageSize.Small), (Bed.Vma(source.Range).AnonymousHuge, Bed.Vma(target.Range).Resident));
        Assert.Equal((5UL, 6UL, 7UL), (Bed.Load(target.At(0)), Bed.Load(target.At(1)), Bed.Load(target.At(2))));
    }

    // The first page that moves splits the page itself, and what of it holds only zeroes gives way to the zero page, moved or not.
    [Fact]
    [Section("4.9")]
    public void Move_PartOfAHugeMapping_PagesOfZeroesBecomeTheZeroPage()
    {
        MappedArea source = Huge();
        Bed.Store(source.At(2), 7);
        MappedArea target = Advised();
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), 3 * PageSize.Small), 3 * PageSize.Small);
        Assert.Equal((2 * PageSize.Small, 0UL), (Bed.Vma(target.Range).Resident, Bed.Vma(source.Range).Resident));
        Assert.Equal((true, false, true), (Bed.Pagemap(target, 0).IsExclusive, Bed.Pagemap(target, 1).IsExclusive, Bed.Pagemap(source, 9).IsPresent));
        Assert.Equal((5UL, 0UL, 7UL, 0UL), (Bed.Load(target.At(0)), Bed.Load(target.At(1)), Bed.Load(target.At(2)), Bed.Load(source.At(9))));
    }

    [Theory]
    [InlineData(RegisterModes.Missing)]
    [InlineData(RegisterModes.Missing | RegisterModes.WriteProtect)]
    public void Collapse_ArmedAreaWithAHole_RefusedUntilUnregistered(RegisterModes modes)
    {
        NeedCollapse();
        MappedArea area = Advised();
        FaultMonitor monitor = Bed.Watch(area, modes);
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Huge - PageSize.Small, 1)), PageSize.Huge - PageSize.Small);
        Assert.NotEqual(Errno.None, HugePages.Collapse(Bed, area.Range).Errno);
        Assert.Equal(0UL, Bed.Vma(area.Range).AnonymousHuge);
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
        Expect.Ok(HugePages.Collapse(Bed, area.Range));
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).AnonymousHuge);
        Assert.Equal(Pattern.Word(1, 0), Bed.Load(area.At(0)));
    }

    [Fact]
    public void Collapse_ArmedAreaFullyPopulated_BecomesHuge()
    {
        NeedCollapse();
        MappedArea area = Advised();
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Huge, 1)), PageSize.Huge);
        Expect.Ok(HugePages.Collapse(Bed, area.Range));
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).AnonymousHuge);
        Assert.Equal(Pattern.Word(1, PageSize.Huge - 8), Bed.Load(area.At(0, PageSize.Huge - 8)));
    }

    [Fact]
    public void Collapse_OneProtectedPage_EINVAL()
    {
        NeedCollapse();
        MappedArea area = Advised();
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect);
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Huge, 1)), PageSize.Huge);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(200), WriteProtectModes.Protect));
        Expect.Fails(HugePages.Collapse(Bed, area.Range), Errno.EINVAL);
        Assert.True(Bed.IsProtected(area, 200));
    }

    // a hole that a MISSING-armed mapping waits for may not be filled behind its back.
    [Fact]
    [Regression(29)]
    public void Collapse_ShmemHoleArmedForMissing_RefusedUntilUnregistered()
    {
        NeedCollapse();
        MappedArea area = Bed.Map(MemoryKind.ShmemShared, SmallInHuge);
        Bed.FillCache(area);
        Expect.Ok(area.Backing.PunchHole(5 * PageSize.Small, PageSize.Small));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        MappedArea alias = Bed.Alias(area);
        Assert.NotEqual(Errno.None, HugePages.Collapse(Bed, alias.Range).Errno);
        Assert.False(Bed.Pagemap(area, 5).IsPresent);
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
        Expect.Ok(HugePages.Collapse(Bed, alias.Range));
        Assert.Equal(0UL, Bed.Load(area.At(5)));
    }

    [Fact]
    public void Collapse_ShmemArmedForMinorFullyMapped_ContentsIntact()
    {
        NeedCollapse();
        MappedArea area = Bed.Map(MemoryKind.ShmemShared, SmallInHuge);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        Expect.Filled(monitor.Uffd.Continue(area.Range), area.Range.Length);
        Expect.Ok(HugePages.Collapse(Bed, area.Range));
        Assert.Equal(PageSize.Huge, Bed.Vma(area.Range).ShmemHuge);
        Assert.All(Enumerable.Range(0, 8), page => Assert.Equal(Pattern.Word((ulong)page * 60, 0), Bed.Load(area.At(page * 60))));
        monitor.ExpectNothingQueued();
    }

    // 6.2: a huge page of the cache still gives small minor faults, and CONTINUE maps just that piece.
    [Fact]
    [Section("6.2")]
    public void Continue_PieceOfAHugeCachePage_MapsThatPieceOnly()
    {
        NeedCollapse();
        MappedArea area = Bed.Map(MemoryKind.ShmemShared, SmallInHuge);
        Bed.FillCache(area);
        MappedArea alias = Bed.Alias(area);
        Expect.Ok(HugePages.Collapse(Bed, alias.Range));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        PendingAccess load = Bed.StartLoad(area.At(33));
        monitor.ExpectFault(PageFaultFlags.Minor, area.At(33));
        Expect.Filled(monitor.Uffd.Continue(area.Page(33)), PageSize.Small);
        Assert.Equal(Pattern.Word(33, 0), load.AwaitValue());
        Assert.Equal((false, true, false), (Bed.Pagemap(area, 32).IsPresent, Bed.Pagemap(area, 33).IsPresent, Bed.Pagemap(area, 34).IsPresent));
        Expect.Partial(monitor.Uffd.Continue(area.Range), 33 * PageSize.Small);
        Expect.Fails(monitor.Uffd.Continue(area.Pages(33, 4)), Errno.EEXIST);
        Expect.Filled(monitor.Uffd.Continue(area.Pages(34, SmallInHuge - 34)), (ulong)(SmallInHuge - 34) * PageSize.Small);
    }

    // 2.1.7 and 2.6.4: a split beyond the mapping limit.
    [Fact]
    [Section("2.1")]
    public void Register_SplitBeyondTheMappingLimit_ENOMEMButWholeMappingsStillRegister()
    {
        const int Pages = 140_000;
        MappedArea area = Bed.MapAnonymous(Pages);
        FaultMonitor monitor = Bed.Open();
        int page = 1;
        while (page < Pages - 1 && monitor.Uffd.Register(area.Page(page), RegisterModes.Missing).IsOk)
        {
            page += 2;
        }

        Testbed.SkipIf(page >= Pages - 1 ? "The mapping limit (vm.max_map_count) is higher than this case goes." : null);
        Expect.Fails(monitor.Uffd.Register(area.Page(page), RegisterModes.Missing), Errno.ENOMEM);
        Expect.Ok(monitor.Uffd.Unregister(area.Page(1)));
        monitor.Register(area.Page(1), RegisterModes.Missing);
        MappedArea whole = area with { Range = AddressRange.Between(area.At(page - 1), area.Range.End) };
        monitor.Register(Bed.Vmas(whole.Range)[^1].Range, RegisterModes.Missing);
    }

    [Fact]
    public void Lock_ArmedAreaOfSeveralPages_OneMessageAfterTheOther()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingWork<SystemResult> call = Testbed.StartCall("mlock", () => Bed.Space.Lock(area.Range));
        for (int page = 0; page < area.PageTotal; page++)
        {
            monitor.ExpectFault(PageFaultFlags.Write, area.At(page));
            monitor.ExpectNothingQueued();
            Expect.Filled(monitor.Uffd.Copy(area.At(page), Pattern.Bytes(PageSize.Small, 1)), PageSize.Small);
        }

        Expect.Ok(call.Await());
    }

    // mlock2(2) with MLOCK_ONFAULT: nothing is brought, so nothing is asked of the monitor, and what is installed later cannot be paged out.
    [Theory]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemPrivate)]
    public void LockOnFault_ArmedArea_NoMessageAndNoPageOut(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Ok(Testbed.StartCall("mlock2", () => Bed.Space.LockOnFault(area.Range)).Await());
        monitor.ExpectNothingQueued();
        Assert.True(Bed.Vma(area.Range).IsLocked);
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Small, 1)), PageSize.Small);
        Expect.Fails(Bed.Space.Advise(area.Range, Advice.PageOut), Errno.EINVAL);
        Expect.Ok(Bed.Space.Unlock(area.Range));
        Assert.False(Bed.Vma(area.Range).IsLocked);
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.PageOut));
    }

    [Theory]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemShared)]
    public void Access_SpanningTwoPages_OneMessageForEach(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        IMemoryAccess accessor = Bed.TakeAccessor();
        byte[] bytes = new byte[2 * PageSize.Small];
        PendingWork<AccessResult> read = Testbed.StartCall("read of two pages", () => accessor.Read(area.At(0), bytes));
        monitor.ExpectFault(PageFaultFlags.None, area.At(0));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Small, 1)), PageSize.Small);
        monitor.ExpectFault(PageFaultFlags.None, area.At(1));
        Expect.Filled(monitor.Uffd.Copy(area.At(1), Pattern.Bytes(PageSize.Small, 2)), PageSize.Small);
        Assert.Equal((AccessFault.None, 2 * PageSize.Small), (read.Await().Fault, read.Await().BytesDone));
        Assert.Equal([.. Pattern.Bytes(PageSize.Small, 1), .. Pattern.Bytes(PageSize.Small, 2)], bytes);
    }

    [Fact]
    public void CompareExchange_MissingPage_AWriteFaultAlsoWhenItDoesNotStore()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        IMemoryAccess accessor = Bed.TakeAccessor();
        PendingWork<(AccessResult Result, ulong Observed)> exchange = Testbed.StartCall("compare and exchange", () =>
        {
            AccessResult result = accessor.CompareExchange(area.At(0), 9, comparand: 1, out ulong observed);
            return (result, observed);
        });
        monitor.ExpectFault(PageFaultFlags.Write, area.At(0));
        Expect.Filled(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(PageSize.Small, 3)), PageSize.Small);
        Assert.Equal((AccessFault.None, Pattern.Word(3, 0)), (exchange.Await().Result.Fault, exchange.Await().Observed));
        Assert.Equal(Pattern.Word(3, 0), Bed.Load(area.At(0)));
    }

    // 11.2: faults resolved by a concurrent filler: nobody sleeps for ever, nobody reads a torn page.
    [Theory]
    [Section("11")]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemShared)]
    public void Access_WhileABackgroundFillerWorks_EveryLoadSeesAWholePage(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 256);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        using FaultResolver resolver = new(Bed, monitor, area);
        PendingWork<bool> filler = Testbed.StartCall("background fills", () =>
        {
            for (int page = area.PageTotal - 1; page >= 0; page--)
            {
                FillResult result = monitor.Uffd.Copy(area.At(page), Pattern.Bytes(area.PageBytes, (ulong)page));
                Assert.True(result.IsOk || result.Errno == Errno.EEXIST, $"COPY answered {result}.");
            }

            return true;
        });
        for (int page = 0; page < area.PageTotal; page++)
        {
            Bed.AssertPattern(area, page, (ulong)page);
        }

        Assert.True(filler.Await());
        resolver.AssertNoError();
    }

    /// <summary>Skips the case if the engine cannot collapse memory that nothing speaks against collapsing.</summary>
    private void NeedCollapse()
    {
        MappedArea plain = Advised();
        Bed.WriteBytes(plain.At(0), Pattern.Bytes(PageSize.Huge, 1));
        Errno errno = HugePages.Collapse(Bed, plain.Range).Errno;
        Testbed.SkipIf(errno == Errno.None ? null : $"The engine does not collapse ordinary memory into huge pages: MADV_COLLAPSE answers {errno}.");
    }

    private MappedArea Advised()
    {
        MappedArea area = Bed.MapAnonymous(SmallInHuge);
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.HugePage));
        return area;
    }

    private MappedArea Huge()
    {
        MappedArea area = Advised();
        Bed.Store(area.At(0), 5);
        Testbed.SkipIf(Bed.Vma(area.Range).AnonymousHuge == PageSize.Huge ? null : "The engine gave no transparent huge page (see /sys/kernel/mm/transparent_hugepage/enabled).");
        return area;
    }
}
