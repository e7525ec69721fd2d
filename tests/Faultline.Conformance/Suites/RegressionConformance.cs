using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Bugs that kernels had (docs/regressions.md), as far as no other suite covers them and one thread after the other can show them.</summary>
[Section("13")]
public abstract class RegressionConformance(EngineHost host) : ConformanceSuite(host)
{
    private const int SmallInHuge = (int)(PageSize.Huge / PageSize.Small);

    // The owner ends while one of its threads sleeps in a fault: the thread is gone, and the context has nobody left to ask for.
    [Theory]
    [Regression(10)]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Exit_WithAFaultPending_AccessEndsAndTheContextIsQuiet(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        PendingAccess unread = Bed.StartLoad(area.At(0));
        monitor.AwaitPending(1);
        Bed.Space.Dispose();
        unread.AwaitFault(AccessFault.Killed);
        Testbed.Until("no fault is pending", () => Expect.Ok(monitor.Uffd.GetCounts()) == default);
        monitor.ExpectNothingQueued();
        Expect.Refused(monitor.Uffd.Zeropage(area.Page(0)), Errno.ESRCH);
    }

    // A pool of 64 pages, and more than that many failing copies: one page or reservation lost by each would show.
    [Theory]
    [Regression(15)]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Copy_FailingOftenOnHugetlb_NoPageOrReservationIsLost(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 2);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        byte[] bytes = Pattern.Bytes(PageSize.Huge, 3);
        Expect.Filled(monitor.Uffd.Copy(area.At(0), bytes), PageSize.Huge);
        MappedArea source = Bed.MapAnonymous(SmallInHuge);
        Bed.Store(source.At(0));
        Expect.Ok(Bed.Space.Unmap(source.Page(SmallInHuge - 1)));
        for (int round = 0; round < 100; round++)
        {
            Expect.Fails(monitor.Uffd.Copy(area.At(0), bytes), Errno.EEXIST);
            Expect.Fails(monitor.Uffd.Copy(area.Page(1), source.At(0)), Errno.EFAULT);
        }

        Expect.Filled(monitor.Uffd.Copy(area.At(1), bytes), PageSize.Huge);
        Bed.AssertPattern(area, 1, seed: 3);
    }

    // Markers are told apart: neither protection nor its end makes another kind of one.
    [Theory]
    [Regression(27)]
    [MemberData(nameof(MemoryKinds.Small), MemberType = typeof(MemoryKinds))]
    public void WriteProtect_MarkersOfEveryKind_StayWhatTheyAre(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectUnpopulated);
        Expect.Filled(monitor.Uffd.Poison(area.Page(0)), PageSize.Small);
        Expect.Ok(Bed.Space.Advise(area.Page(1), Advice.GuardInstall));
        foreach (WriteProtectModes modes in (WriteProtectModes[])[WriteProtectModes.Protect, WriteProtectModes.None, WriteProtectModes.Protect])
        {
            Expect.Ok(monitor.Uffd.WriteProtect(area.Range, modes));
            Bed.LoadPoisoned(area.At(0));
            Bed.LoadFails(area.At(1), AccessFault.NotMapped);
            Assert.Equal(modes == WriteProtectModes.Protect, Bed.IsProtected(area, 2));
        }

        Expect.Ok(Bed.Space.Advise(area.Pages(0, 3), Advice.GuardRemove));
        Bed.LoadPoisoned(area.At(0));
        PendingAccess load = Bed.StartLoad(area.At(2));
        monitor.ExpectFault(PageFaultFlags.None, area.At(2));
        Expect.Filled(monitor.Uffd.Copy(area.At(2), Pattern.Bytes(PageSize.Small, 2), FillModes.WriteProtect), PageSize.Small);
        Assert.Equal(Pattern.Word(2, 0), load.AwaitValue());
    }

    // The huge zero page is protected as a whole; split, every piece keeps the bit.
    [Fact]
    [Regression(28)]
    [Section("8.4")]
    public void WriteProtect_HugeZeroPage_SplitKeepsTheBit()
    {
        MappedArea area = HugeZeroPage();
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.All((int[])[0, 255, 511], page => Assert.True(Bed.IsProtected(area, page)));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(7), WriteProtectModes.None));
        Assert.Equal((true, false, true), (Bed.IsProtected(area, 6), Bed.IsProtected(area, 7), Bed.IsProtected(area, 8)));
        Bed.Store(area.At(7), 4);
        monitor.ExpectNothingQueued();
        PendingAccess store = Bed.StartStore(area.At(8), 5);
        monitor.ExpectFault(PageFaultFlags.Write | PageFaultFlags.WriteProtect, area.At(8));
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(8), WriteProtectModes.None));
        store.AwaitValue();
        Assert.True(Bed.IsProtected(area, 9));
    }

    // An event begins while a copy fetches its source with no lock held: the copy is put off when it comes back.
    [Theory]
    [Regression(31)]
    [Section("4.3")]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Copy_EventBegunWhileTheSourceFaults_EAGAIN(MemoryKind kind)
    {
        Bed.NeedKernelFaults();
        MappedArea area = Bed.Map(kind, pages: 2);
        Bed.Store(area.At(1));
        MappedArea source = Bed.MapAnonymous((int)(area.PageBytes / PageSize.Small));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventRemove);
        FaultMonitor ofSource = Bed.Watch(source, RegisterModes.Missing);
        PendingWork<FillResult> copy = Testbed.StartCall("copy", () => monitor.Uffd.Copy(area.Page(0), source.At(0)));
        ofSource.ExpectFault(PageFaultFlags.None, source.At(0));
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(area.Page(1), Advice.DontNeed));
        advise.AssertStillBlocked();
        Expect.Filled(ofSource.Uffd.Copy(source.At(0), Pattern.Bytes(area.PageBytes, 6)), area.PageBytes);
        Expect.Fails(copy.Await(), Errno.EAGAIN);
        monitor.ExpectEvent(UserfaultfdEvent.Remove, area.Page(1));
        Expect.Ok(advise.Await());
        Expect.Filled(monitor.Retry(uffd => uffd.Copy(area.Page(0), source.At(0))), area.PageBytes);
        Bed.AssertPattern(area, 0, seed: 6);
    }

    [Fact]
    [Regression(32)]
    [Section("4.9")]
    public void Move_HugeZeroPage_TargetReadsZero()
    {
        MappedArea source = HugeZeroPage();
        MappedArea target = Advised();
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Huge), PageSize.Huge);
        Assert.Equal((0UL, 0UL), (Bed.Load(target.At(0)), Bed.Load(target.At(511))));
        Assert.Equal(0UL, Bed.Pagemap(source, 0).Value);
        Bed.Store(target.At(9), 8);
        Assert.Equal((8UL, 0UL), (Bed.Load(target.At(9)), Bed.Load(source.At(9))));
    }

    // Memory that the kernel may drop at will is no place for a context.
    [Theory]
    [Regression(40)]
    [Section("2.2")]
    [InlineData(RegisterModes.Missing, UserfaultfdFeatures.None)]
    [InlineData(RegisterModes.WriteProtect, UserfaultfdFeatures.None)]
    [InlineData(RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectAsync)]
    public void Register_DroppableMemory_EINVAL(RegisterModes modes, UserfaultfdFeatures features)
    {
        const MapOptions Droppable = (MapOptions)8;
        MapRequest request = new() { Length = PageSize.Small, Protection = Protections.ReadWrite, Options = Droppable | MapOptions.Anonymous };
        SystemResult<VirtualAddress> mapped = Bed.Space.Map(request);
        Testbed.SkipIf(mapped.Errno == Errno.EINVAL ? "The engine has no droppable mappings (MAP_DROPPABLE)." : null);
        FaultMonitor monitor = Bed.Open(features);
        Expect.Fails(monitor.Uffd.Register(new AddressRange(Expect.Ok(mapped), PageSize.Small), modes), Errno.EINVAL);
    }

    private MappedArea Advised()
    {
        MappedArea area = Bed.MapAnonymous(SmallInHuge);
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.HugePage));
        return area;
    }

    private MappedArea HugeZeroPage()
    {
        MappedArea area = Advised();
        Assert.Equal(0UL, Bed.Load(area.At(0)));
        bool isHuge = Enumerable.Range(0, SmallInHuge).All(page => Bed.Pagemap(area, page).IsPresent) && Bed.Vma(area.Range).Resident == 0;
        Testbed.SkipIf(isHuge ? null : "The engine mapped no huge zero page (see /sys/kernel/mm/transparent_hugepage/use_zero_page).");
        return area;
    }
}
