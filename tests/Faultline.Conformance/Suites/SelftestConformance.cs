using System;
using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Whole programs in the manner of the kernel's own userfaultfd tests, with a monitor on a thread of its own.</summary>
[Section("12.1")]
public abstract class SelftestConformance(EngineHost host) : ConformanceSuite(host)
{
    /// <summary>Every kind of memory, registered with write-protection and without.</summary>
    public static TheoryData<MemoryKind, bool> KindsWithAndWithoutWriteProtect
    {
        get
        {
            TheoryData<MemoryKind, bool> rows = [];
            foreach (MemoryKind kind in Enum.GetValues<MemoryKind>())
            {
                rows.Add(kind, p2: false);
                rows.Add(kind, p2: true);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Missing_EveryPageTouched_OneFaultEachAndRightContents(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, Pages(kind));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        using FaultResolver resolver = new(Bed, monitor, area);
        Sweep(area);
        resolver.ExpectCounts(missing: area.PageTotal);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void Minor_EveryPageTouched_OneFaultEachAndTheChangeThroughTheAliasIsSeen(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, Pages(kind));
        MappedArea alias = Bed.Alias(area);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        using FaultResolver resolver = new(Bed, monitor, area, alias);
        for (int page = 0; page < area.PageTotal; page++)
        {
            Assert.Equal(~Pattern.Word((ulong)page, 0), Bed.Load(area.At(page)));
            Expect.Fails(monitor.Uffd.Continue(area.Page(page)), Errno.EEXIST);
        }

        resolver.ExpectCounts(minor: area.PageTotal);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Cached), MemberType = typeof(MemoryKinds))]
    public void MinorThenWriteProtect_EveryPageRead_ThenWritten_OneMessageOfEachKind(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, Pages(kind));
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor | RegisterModes.WriteProtect);
        Expect.Filled(monitor.Uffd.Continue(area.Range, FillModes.WriteProtect), area.Range.Length);
        using FaultResolver resolver = new(Bed, monitor, area);
        Sweep(area);
        Assert.Equal(0, resolver.WriteProtected);
        for (int page = 0; page < area.PageTotal; page++)
        {
            Bed.Store(area.At(page), 1);
        }

        resolver.ExpectCounts(writeProtected: area.PageTotal);
    }

    [Fact]
    public void Move_EveryFaultResolvedByMove_CountEqualsPages()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous, pages: 32);
        MappedArea source = Bed.Map(MemoryKind.Anonymous, pages: 32);
        for (int page = 0; page < source.PageTotal; page++)
        {
            Bed.WriteBytes(source.At(page), Pattern.Bytes(PageSize.Small, (ulong)page));
        }

        Expect.Ok(Bed.Space.Advise(source.Range, Advice.DontFork));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        for (int page = 0; page < area.PageTotal; page++)
        {
            PendingAccess load = Bed.StartLoad(area.At(page));
            monitor.ExpectFault(PageFaultFlags.None, area.At(page));
            Expect.Filled(monitor.Uffd.Move(area.At(page), source.At(page), PageSize.Small), PageSize.Small);
            Assert.Equal(Pattern.Word((ulong)page, 0), load.AwaitValue());
            Bed.AssertZero(source, page);
        }

        monitor.ExpectNothingQueued();
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void SigBus_ForkedChild_AlsoGetsTheBusErrorAndNoMessageIsRead(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 2);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.SigBus | UserfaultfdFeatures.EventFork);
        Bed.LoadFails(area.At(0), AccessFault.BusError);
        PendingWork<SystemResult<IAddressSpace>> fork = Testbed.StartCall("fork", Bed.Space.Fork);
        IUserfaultfd forked = Bed.Own(monitor.NextMessage().Forked!);
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(fork.Await()));
        IMemoryAccess access = Bed.Own(Expect.Ok(child.OpenAccess()));
        PendingAccess.Load(access, area.At(1)).AwaitFault(AccessFault.BusError);
        Expect.Fails(forked.Read(new UserfaultfdMessage[1]), Errno.EAGAIN);
        monitor.ExpectNothingQueued();
    }

    // The signal's handler copies the page, and the access is made again.
    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void SigBus_EveryPage_CopiedInTheHandlerAndTriedAgain(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, Pages(kind));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.SigBus);
        for (int page = 0; page < area.PageTotal; page++)
        {
            Assert.Equal(area.At(page, 16), Bed.LoadFails(area.At(page, 16), AccessFault.BusError).Address);
            Expect.Filled(monitor.Uffd.Copy(area.At(page), Pattern.Bytes(area.PageBytes, (ulong)page)), area.PageBytes);
        }

        Sweep(area);
        monitor.ExpectNothingQueued();
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void SigBus_EveryPageProtected_UnprotectedInTheHandlerAndTriedAgain(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, Pages(kind));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect, UserfaultfdFeatures.SigBus);
        for (int page = 0; page < area.PageTotal; page++)
        {
            Expect.Filled(monitor.Uffd.Copy(area.At(page), Pattern.Bytes(area.PageBytes, (ulong)page), FillModes.WriteProtect), area.PageBytes);
            Bed.StoreFails(area.At(page), AccessFault.BusError);
            Assert.Equal(Pattern.Word((ulong)page, 0), Bed.Load(area.At(page)));
            Expect.Ok(monitor.Uffd.WriteProtect(area.Page(page), WriteProtectModes.None));
            Bed.Store(area.At(page), 3);
        }

        Sweep(area);
        monitor.ExpectNothingQueued();
    }

    // Huge pages move whole; in other pieces they are split on the way.
    [Theory]
    [InlineData((int)(PageSize.Huge / PageSize.Small), true)]
    [InlineData((int)(PageSize.Huge / PageSize.Small) / 2, false)]
    [InlineData(100, false)]
    public void Move_HugePagesInPieces_EverythingArrivesAndTheSourceReadsZero(int pagesAtATime, bool stayHuge)
    {
        const int Pages = 2 * (int)(PageSize.Huge / PageSize.Small);
        MappedArea source = Bed.MapAnonymous(Pages);
        Expect.Ok(Bed.Space.Advise(source.Range, Advice.HugePage));
        Bed.WriteBytes(source.At(0), Pattern.Bytes(source.Range.Length, 4));
        Testbed.SkipIf(Bed.Vma(source.Range).AnonymousHuge == source.Range.Length ? null : "The engine gave no transparent huge pages.");
        Expect.Ok(Bed.Space.Advise(source.Range, Advice.DontFork));
        MappedArea target = Bed.MapAnonymous(Pages);
        Expect.Ok(Bed.Space.Advise(target.Range, Advice.HugePage));
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing);
        int faults = 0;
        for (int page = 0; page < Pages; page += pagesAtATime, faults++)
        {
            PendingAccess load = Bed.StartLoad(target.At(page));
            monitor.ExpectFault(PageFaultFlags.None, target.At(page));
            ulong length = (ulong)Math.Min(pagesAtATime, Pages - page) * PageSize.Small;
            Expect.Filled(monitor.Uffd.Move(target.At(page), source.At(page), length), length);
            Assert.Equal(Pattern.Word(4, (ulong)page * PageSize.Small), load.AwaitValue());
        }

        Assert.Equal((Pages + pagesAtATime - 1) / pagesAtATime, faults);
        Assert.Equal(stayHuge ? target.Range.Length : 0, Bed.Vma(target.Range).AnonymousHuge);
        Assert.Equal(Pattern.Bytes(target.Range.Length, 4), Bed.ReadBytes(target.At(0), target.Range.Length));
        Assert.Equal(new byte[source.Range.Length], Bed.ReadBytes(source.At(0), source.Range.Length));
    }

    // A marker is set, cleared, dropped, and upgraded by a load (to the protected zero page) and by a store.
    [Fact]
    public void WriteProtectUnpopulated_SetClearedDroppedAndUpgraded_BitFollows()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectUnpopulated);
        Protect(WriteProtectModes.Protect);
        Assert.Equal((false, true), State());
        Protect(WriteProtectModes.None);
        Assert.Equal((false, false), State());
        Protect(WriteProtectModes.Protect);
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.DontNeed));
        Assert.Equal((false, false), State());
        Protect(WriteProtectModes.Protect);
        Assert.Equal(0UL, Bed.Load(area.At(0)));
        Assert.Equal((true, true), State());
        Assert.Equal(0UL, Bed.Vma(area.Range).Resident);
        Protect(WriteProtectModes.None);
        Bed.Store(area.At(0), 1);
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.DontNeed));
        Protect(WriteProtectModes.Protect);
        PendingAccess store = Bed.StartStore(area.At(0), 2);
        monitor.ExpectFault(PageFaultFlags.Write | PageFaultFlags.WriteProtect, area.At(0));
        Protect(WriteProtectModes.None);
        store.AwaitValue();
        Assert.Equal((true, false), State());

        void Protect(WriteProtectModes modes) => Expect.Ok(monitor.Uffd.WriteProtect(area.Range, modes));
        (bool IsPresent, bool IsProtected) State() => (Bed.Pagemap(area, 0).IsPresent, Bed.IsProtected(area, 0));
    }

    // 12.3: a protected page in swap loses its bit when it moves to a place without the context.
    [Theory]
    [Section("12.3")]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemShared)]
    [InlineData(MemoryKind.ShmemPrivate)]
    public void Remap_ProtectedPageInSwap_BitIsDroppedAndContentsStay(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect);
        for (int page = 0; page < area.PageTotal; page++)
        {
            Expect.Filled(monitor.Uffd.Copy(area.At(page), Pattern.Bytes(PageSize.Small, (ulong)page), FillModes.WriteProtect), PageSize.Small);
        }

        Bed.SwapOut(area.Range);
        Assert.True(Bed.IsProtected(area, 1));
        MappedArea moved = area with { Range = area.Range with { Start = Bed.NextPlace() } };
        Expect.Ok(Bed.Space.Remap(area.Range, area.Range.Length, RemapOptions.MayMove | RemapOptions.Fixed, moved.Range.Start));
        Assert.All(Enumerable.Range(0, moved.PageTotal), page => Assert.False(Bed.IsProtected(moved, page)));
        Sweep(moved);
        Bed.Store(moved.At(1), 5);
        monitor.ExpectNothingQueued();
    }

    // 12.3: threads write while another scans and protects: no write is lost, and no page is reported that was not written. (One store may be reported
    // again if the scan protects the page between its fault and the store.)
    [Theory]
    [Section("12.3")]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemShared)]
    public void ScanAndProtect_WhileThreadsWrite_EachWriteIsReported(MemoryKind kind)
    {
        const int Pages = 192;
        const int Writers = 2;
        MappedArea area = Bed.Map(kind, Pages);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectAsync);
        Sweep(area, _ => 0);
        IMemoryAccess[] accessors = [Bed.TakeAccessor(), Bed.TakeAccessor()];
        for (int round = 1; round <= 5; round++)
        {
            Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
            PendingWork<bool>[] writers = [.. Enumerable.Range(0, Writers).Select(number => Testbed.StartCall("writer", () => Enumerable.Range(0, Pages)
                .Where(page => page % (Writers + 1) == number).All(page => accessors[number].Store(area.At(page), 7).IsOk)))];
            int[] reported = new int[Pages];
            bool isLast;
            do
            {
                isLast = Array.TrueForAll(writers, writer => writer.IsDone);
                CountWritten(area, reported);
            }
            while (!isLast);

            Assert.All(writers, writer => Assert.True(writer.Await()));
            Assert.All(Enumerable.Range(0, Pages), page => Assert.Equal(page % (Writers + 1) != Writers, reported[page] > 0));
        }
    }

    // A child touches one half, moves the area, touches the rest, drops it and reads zeroes; the monitor follows.
    [Theory]
    [MemberData(nameof(KindsWithAndWithoutWriteProtect))]
    public void Events_ForkMoveAndRemove_MonitorFollowsTheChild(MemoryKind kind, bool withWriteProtect)
    {
        MappedArea area = Bed.Map(kind, kind.IsHugetlb() ? 2 : 32);
        RegisterModes modes = RegisterModes.Missing | (withWriteProtect ? RegisterModes.WriteProtect : RegisterModes.None);
        FaultMonitor monitor = Bed.Watch(area, modes, UserfaultfdFeatures.EventFork | UserfaultfdFeatures.EventRemap | UserfaultfdFeatures.EventRemove);
        using FaultResolver resolver = new(Bed, monitor, area);
        IAddressSpace child = Bed.OwnSpace(Expect.Ok(Testbed.StartCall("fork", Bed.Space.Fork).Await()));
        IMemoryAccess access = Bed.Own(Expect.Ok(child.OpenAccess()));
        int half = area.PageTotal / 2;
        TouchAll(access, area, area.Range.Start, 0, half);
        VirtualAddress target = Bed.NextPlace();
        Expect.Ok(Testbed.StartCall("mremap", () => child.Remap(area.Range, area.Range.Length, RemapOptions.MayMove | RemapOptions.Fixed, target)).Await());
        TouchAll(access, area, target, 0, area.PageTotal);
        resolver.Child.ExpectCounts(missing: area.PageTotal, events: 1);
        Expect.Ok(Testbed.StartCall("madvise", () => child.Advise(area.Range with { Start = target }, kind.IsShared() ? Advice.Remove : Advice.DontNeed)).Await());
        resolver.Child.ExpectCounts(missing: area.PageTotal, events: 2);
        Assert.False(Testbed.PagemapOf(child, target).IsPresent);
        resolver.ExpectCounts(events: 1);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Poison_EvenPagesPoisonedOddCopied_HalfOfTheAccessesFail(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, Pages(kind));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        int failed = 0;
        for (int page = 0; page < area.PageTotal; page++)
        {
            PendingAccess load = Bed.StartLoad(area.At(page));
            monitor.ExpectFault(PageFaultFlags.None, area.At(page));
            FillVerb verb = page % 2 == 0 ? FillVerb.Poison : FillVerb.Copy;
            Expect.Filled(verb.Issue(monitor.Uffd, area.Page(page)), area.PageBytes);
            failed += load.Await().IsOk ? 0 : 1;
        }

        Assert.Equal(area.PageTotal / 2, failed);
    }

    private static int Pages(MemoryKind kind) => kind.IsHugetlb() ? 4 : 32;

    private static void TouchAll(IMemoryAccess access, MappedArea area, VirtualAddress start, int first, int count)
    {
        for (int page = first; page < first + count; page++)
        {
            Assert.Equal(Pattern.Word((ulong)page, 0), PendingAccess.Load(access, start + ((ulong)page * area.PageBytes)).AwaitValue());
        }
    }

    private void CountWritten(MappedArea area, int[] reported)
    {
        var regions = new PageRegion[area.PageTotal];
        PagemapScanRequest request = new()
        {
            Range = area.Range,
            Flags = PagemapScanFlags.WriteProtectMatching | PagemapScanFlags.CheckWriteProtectAsync,
            Mask = PageCategories.Written,
            Return = PageCategories.Written,
        };
        PagemapScanResult result = Bed.Space.Inspector.Scan(request, regions);
        Assert.Equal(Errno.None, result.Errno);
        foreach (PageRegion region in regions.AsSpan(0, result.Count))
        {
            for (VirtualAddress at = region.Range.Start; at < region.Range.End; at += PageSize.Small)
            {
                reported[(at - area.Range.Start) / PageSize.Small]++;
            }
        }
    }

    private void Sweep(MappedArea area) => Sweep(area, page => Pattern.Word(page, 8));

    private void Sweep(MappedArea area, Func<ulong, ulong> expected)
    {
        for (int page = 0; page < area.PageTotal; page++)
        {
            Assert.Equal(expected((ulong)page), Bed.Load(area.At(page, 8)));
        }
    }
}
