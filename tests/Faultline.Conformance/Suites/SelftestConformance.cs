using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Whole programs in the manner of the kernel's own userfaultfd tests, with a monitor on a thread of its own.</summary>
[Section("12.1")]
public abstract class SelftestConformance(EngineHost host) : ConformanceSuite(host)
{
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

    // A child touches one half, moves the area, touches the rest, drops it and reads zeroes; the monitor follows.
    [Theory]
    [InlineData(MemoryKind.Anonymous, false)]
    [InlineData(MemoryKind.Anonymous, true)]
    [InlineData(MemoryKind.ShmemShared, false)]
    [InlineData(MemoryKind.ShmemShared, true)]
    [InlineData(MemoryKind.ShmemPrivate, false)]
    [InlineData(MemoryKind.HugetlbShared, false)]
    [InlineData(MemoryKind.HugetlbPrivate, false)]
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

    // 12.2 in small: several threads at random places, a background copier, drop and do it again.
    [Theory]
    [Section("12.2")]
    [MemberData(nameof(MemoryKinds.Small), MemberType = typeof(MemoryKinds))]
    public void Stress_SeveralThreadsAndABackgroundCopier_ContentsAreAlwaysRight(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 64);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        using FaultResolver resolver = new(Bed, monitor, area);
        for (int round = 0; round < 4; round++)
        {
            PendingWork<bool>[] readers = [.. Enumerable.Range(0, 3).Select(reader => Reader(area, seed: (round * 3) + reader))];
            PendingWork<bool> copier = Testbed.StartCall("background copier", () => Enumerable.Range(0, area.PageTotal)
                .Select(page => monitor.Uffd.Copy(area.At(page), Pattern.Bytes(PageSize.Small, (ulong)page)).Errno)
                .All(errno => errno is Errno.None or Errno.EEXIST));
            Assert.All(readers, reader => Assert.True(reader.Await()));
            Assert.True(copier.Await());
            Sweep(area);
            Expect.Ok(Bed.Space.Advise(area.Range, kind == MemoryKind.ShmemShared ? Advice.Remove : Advice.DontNeed));
        }

        resolver.AssertNoError();
    }

    private static int Pages(MemoryKind kind) => kind.IsHugetlb() ? 4 : 32;

    private static void TouchAll(IMemoryAccess access, MappedArea area, VirtualAddress start, int first, int count)
    {
        for (int page = first; page < first + count; page++)
        {
            Assert.Equal(Pattern.Word((ulong)page, 0), PendingAccess.Load(access, start + ((ulong)page * area.PageBytes)).AwaitValue());
        }
    }

    private PendingWork<bool> Reader(MappedArea area, int seed)
    {
        IMemoryAccess accessor = Bed.TakeAccessor();
        return Testbed.StartCall("reader", () =>
        {
            ulong state = (ulong)seed + 1;
            for (int step = 0; step < 100; step++)
            {
                state = (state * 6364136223846793005UL) + 1442695040888963407UL;
                int page = (int)(state >> 33) % area.PageTotal;
                ulong offset = (state >> 20) % (PageSize.Small / 8) * 8;
                if (!accessor.Load(area.At(page, offset), out ulong value).IsOk || value != Pattern.Word((ulong)page, offset))
                {
                    return false;
                }
            }

            return true;
        });
    }

    private void Sweep(MappedArea area)
    {
        for (int page = 0; page < area.PageTotal; page++)
        {
            Assert.Equal(Pattern.Word((ulong)page, 8), Bed.Load(area.At(page, 8)));
        }
    }
}
