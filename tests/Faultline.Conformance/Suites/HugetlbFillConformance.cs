using System;
using System.Linq;
using System.Threading;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Fills of huge pages that wait for their source or race with each other, asynchronous protection, and scanning.</summary>
[Section("7")]
public abstract class HugetlbFillConformance(EngineHost host) : ConformanceSuite(host)
{
    private const ulong Huge = PageSize.Huge;
    private const int SmallPages = (int)(PageSize.Huge / PageSize.Small);

    // 4.3: the source is fetched with no lock held, then the destination is looked up again from scratch.
    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Copy_SourceFaults_WaitsForItAndSucceeds(MemoryKind kind)
    {
        ParkedCopy parked = ParkOnTheSource(kind);
        parked.Resolve();
        Expect.Filled(parked.Copy.Await(), Huge);
        Assert.Equal(Pattern.Bytes(Huge, 3), Bed.ReadBytes(parked.Area.At(0), Huge));
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Copy_DestinationFilledWhileTheSourceFaults_EEXIST(MemoryKind kind)
    {
        ParkedCopy parked = ParkOnTheSource(kind);
        Expect.Filled(parked.Monitor.Uffd.Copy(parked.Area.At(0), Pattern.Bytes(Huge, 7)), Huge);
        parked.Resolve();
        Expect.Fails(parked.Copy.Await(), Errno.EEXIST);
        Bed.AssertPattern(parked.Area, 0, seed: 7);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Copy_DestinationUnmappedWhileTheSourceFaults_ENOENT(MemoryKind kind)
    {
        ParkedCopy parked = ParkOnTheSource(kind);
        Expect.Ok(Bed.Space.Unmap(parked.Area.Range));
        parked.Resolve();
        Expect.Fails(parked.Copy.Await(), Errno.ENOENT);
    }

    [Fact]
    public void Copy_FileCutWhileTheSourceFaults_EFAULT()
    {
        ParkedCopy parked = ParkOnTheSource(MemoryKind.HugetlbShared);
        Expect.Ok(parked.Area.Backing.Truncate(0));
        parked.Resolve();
        Expect.Fails(parked.Copy.Await(), Errno.EFAULT);
        Assert.Equal(0UL, Testbed.Blocks(parked.Area));
    }

    // 13, row 31: an event that begins while the source is fetched is seen.
    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Copy_EventBeginsWhileTheSourceFaults_EAGAIN(MemoryKind kind)
    {
        ParkedCopy parked = ParkOnTheSource(kind, UserfaultfdFeatures.EventRemove);
        PendingWork<SystemResult> advise = Testbed.StartCall("madvise", () => Bed.Space.Advise(parked.Area.Range, Advice.DontNeed));
        Testbed.Until("the address space changes", () => parked.Monitor.Uffd.Poison(parked.Area.Page(0)).IsChanging);
        parked.Resolve();
        Expect.Fails(parked.Copy.Await(), Errno.EAGAIN);
        parked.Monitor.ExpectEvent(UserfaultfdEvent.Remove, parked.Area.Range);
        Expect.Ok(advise.Await());
        Assert.False(Bed.Pagemap(parked.Area, 0).IsPresent);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Copy_FromAHugePage_AnyAddressInItIsASource(MemoryKind kind)
    {
        MappedArea source = Bed.Map(kind, pages: 2);
        Bed.WriteBytes(source.At(0), Pattern.Bytes(2 * Huge, 6));
        MappedArea area = Bed.MapAnonymous(pages: 2);
        MappedArea huge = Bed.Map(MemoryKind.HugetlbPrivate, pages: 1);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        monitor.Register(huge.Range, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Copy(area.Range, source.At(0, Huge - 100)), area.Range.Length);
        Expect.Filled(monitor.Uffd.Copy(huge.Range, source.At(0, 1)), Huge);
        byte[] contents = Pattern.Bytes(2 * Huge, 6);
        Assert.Equal(contents[((int)Huge - 100)..((int)(Huge + area.Range.Length) - 100)], Bed.ReadBytes(area.At(0), area.Range.Length));
        Assert.Equal(contents[1..((int)Huge + 1)], Bed.ReadBytes(huge.At(0), Huge));
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Copy_ManyThreadsOnOnePage_ExactlyOneSucceeds(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 6);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        byte[][] contents = [.. Enumerable.Range(0, 3).Select(seed => Pattern.Bytes(Huge, (ulong)seed))];
        for (int page = 0; page < area.PageTotal; page++)
        {
            using Barrier start = new(contents.Length);
            VirtualAddress at = area.At(page);
            PendingWork<FillResult>[] copies =
            [
                .. contents.Select(bytes => new PendingWork<FillResult>("copy", () =>
                {
                    start.SignalAndWait(Deadline.Normal);
                    return monitor.Uffd.Copy(at, bytes);
                })),
            ];
            FillResult[] results = [.. copies.Select(copy => copy.Await())];
            Assert.Equal(new FillResult(Errno.None, (long)Huge), Assert.Single(results, result => result.IsOk));
            Assert.All(results.Where(result => !result.IsOk), result => Expect.Fails(result, Errno.EEXIST));
            Bed.AssertPattern(area, page, (ulong)Array.FindIndex(results, result => result.IsOk));
        }
    }

    // Several pages at once stop at the first that is taken, and count what was done.
    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Copy_RunIntoAnOccupiedPage_PartialThenEEXIST(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 3);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Filled(monitor.Uffd.Copy(area.At(2), Pattern.Bytes(Huge, 9)), Huge);
        Expect.Partial(monitor.Uffd.Copy(area.At(0), Pattern.Bytes(3 * Huge, 1)), 2 * Huge);
        Bed.AssertPattern(area, 2, seed: 9);
    }

    [Theory]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void Continue_RunWithAHole_PartialThenEFAULT(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 3);
        Bed.FillCache(area, 0, seed: 0);
        Bed.FillCache(area, 2, seed: 2);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        Expect.Partial(monitor.Uffd.Continue(area.Range), Huge);
        Expect.Fails(monitor.Uffd.Continue(area.Pages(1, 2)), Errno.EFAULT);
        Expect.Fails(monitor.Uffd.Continue(area.Page(0)), Errno.EEXIST);
        Expect.Filled(monitor.Uffd.Continue(area.Page(2)), Huge);
        Bed.AssertPattern(area, 2, seed: 2);
    }

    [Fact]
    public void Continue_BeyondTheEnd_EFAULT()
    {
        MappedArea area = Bed.MapBeyondTheEnd(MemoryKind.HugetlbShared, filePages: 1, pages: 2);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        Expect.Fails(monitor.Uffd.Continue(area.Page(1)), Errno.EFAULT);
    }

    [Theory]
    [Section("8.5")]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void AsyncProtection_Store_ClearsTheBitWithoutAMessage(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 2);
        Bed.Store(area.At(0), 3);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectAsync);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        Assert.Equal(3UL, Bed.Load(area.At(0)));
        Assert.True(Bed.IsProtected(area, 0) && Bed.IsProtected(area, 1));
        Bed.Store(area.At(0, Huge - 8), 4);
        Bed.Store(area.At(1), 5);
        Assert.False(Bed.IsProtected(area, 0) || Bed.IsProtected(area, 1));
        monitor.ExpectNothingQueued();
        Assert.Equal((3UL, 4UL, 5UL), (Bed.Load(area.At(0)), Bed.Load(area.At(0, Huge - 8)), Bed.Load(area.At(1))));
    }

    [Theory]
    [Section("8.6")]
    [MemberData(nameof(MemoryKinds.Hugetlb), MemberType = typeof(MemoryKinds))]
    public void ScanAndProtect_WrittenPages_ReportedAndProtected(MemoryKind kind)
    {
        MappedArea area = Tracked(kind);
        Bed.Store(area.At(1), 5);
        (PagemapScanResult result, PageRegion[] regions) = Scan(area.Range, protect: true);
        Assert.Equal((area.Page(1), area.Range.End), (Assert.Single(regions).Range, result.WalkEnd));
        Assert.True(Bed.IsProtected(area, 1));
        Assert.Empty(Scan(area.Range, protect: false).Regions);
    }

    // A huge page cannot be protected in part: one of which the range has only a part is passed over.
    [Fact]
    [Section("8.6")]
    public void ScanAndProtect_PartOfAHugePage_PassedOver()
    {
        MappedArea area = Tracked(MemoryKind.HugetlbShared);
        Bed.Store(area.At(0), 5);
        Bed.Store(area.At(1), 5);
        PageRegion[] regions = Scan(area.Range.Slice(0, Huge + PageSize.Small), protect: true).Regions;
        Assert.Equal(area.Page(0), Assert.Single(regions).Range);
        Assert.Equal((true, false), (Bed.IsProtected(area, 0), Bed.IsProtected(area, 1)));
    }

    [Fact]
    [Section("8.6")]
    public void Scan_PartOfAHugePage_ReportedInSmallPages()
    {
        MappedArea area = Tracked(MemoryKind.HugetlbShared);
        Bed.Store(area.At(0), 5);
        AddressRange part = area.Range.Slice(4 * PageSize.Small, 8 * PageSize.Small);
        Assert.Equal(part, Assert.Single(Scan(part, protect: false).Regions).Range);
        (PagemapScanResult result, PageRegion[] regions) = Scan(area.Range, protect: false, maxPages: 10);
        Assert.Equal(area.Range.Slice(0, 10 * PageSize.Small), Assert.Single(regions).Range);
        Assert.Equal(area.At(0, 10 * PageSize.Small), result.WalkEnd);
    }

    // What is too much for the limit is neither reported nor protected.
    [Fact]
    [Section("8.6")]
    public void ScanAndProtect_LimitWithinAHugePage_StopsBeforeIt()
    {
        MappedArea area = Tracked(MemoryKind.HugetlbShared);
        Bed.Store(area.At(0), 5);
        Bed.Store(area.At(1), 5);
        (PagemapScanResult result, PageRegion[] regions) = Scan(area.Range, protect: true, maxPages: (ulong)SmallPages + 100);
        Assert.Equal((area.Page(0), area.At(1)), (Assert.Single(regions).Range, result.WalkEnd));
        Assert.Equal((true, false), (Bed.IsProtected(area, 0), Bed.IsProtected(area, 1)));
    }

    private MappedArea Tracked(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 3);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectAsync);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
        return area;
    }

    private (PagemapScanResult Result, PageRegion[] Regions) Scan(AddressRange range, bool protect, ulong maxPages = 0)
    {
        PagemapScanRequest request = new()
        {
            Range = range,
            Flags = protect ? PagemapScanFlags.WriteProtectMatching : PagemapScanFlags.None,
            MaxPages = maxPages,
            Mask = PageCategories.Written,
            Return = PageCategories.Written,
        };
        var regions = new PageRegion[8];
        PagemapScanResult result = Bed.Space.Inspector.Scan(in request, regions);
        Testbed.SkipIf(Engine.Capabilities.PagemapScan.IsAvailable ? null : Engine.Capabilities.PagemapScan.Reason);
        Assert.Equal(Errno.None, result.Errno);
        return (result, regions[..result.Count]);
    }

    /// <summary>A copy of a whole huge page that waits for the last of its source's pages, which another context watches over.</summary>
    private ParkedCopy ParkOnTheSource(MemoryKind kind, UserfaultfdFeatures features = UserfaultfdFeatures.None)
    {
        Bed.NeedKernelFaults();
        MappedArea area = Bed.Map(kind, pages: 1);
        MappedArea source = Bed.MapAnonymous(SmallPages);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, features);
        FaultMonitor other = Bed.Watch(source, RegisterModes.Missing);
        byte[] contents = Pattern.Bytes(Huge, 3);
        ulong last = Huge - PageSize.Small;
        Expect.Filled(other.Uffd.Copy(source.At(0), contents.AsSpan(0, (int)last)), last);
        PendingWork<FillResult> copy = Testbed.StartCall("copy", () => monitor.Uffd.Copy(area.Page(0), source.At(0)));
        other.ExpectFault(PageFaultFlags.None, source.At(0, last));
        return new(area, monitor, copy, () => Expect.Filled(other.Uffd.Copy(source.At(0, last), contents.AsSpan((int)last)), PageSize.Small));
    }

    private sealed record ParkedCopy(MappedArea Area, FaultMonitor Monitor, PendingWork<FillResult> Copy, Action Resolve);
}
