using System;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Bugs that kernels had (docs/regressions.md) where two threads meet: sampled for a moment each, with answers that hold in every order.</summary>
[Section("13")]
[Section("11")]
public abstract class RegressionRaceConformance(EngineHost host) : ConformanceSuite(host)
{
    private static readonly TimeSpan Sampling = TimeSpan.FromMilliseconds(250);

    // Whoever fills before the message is read also wakes: a waiter that is just falling asleep included.
    [Theory]
    [Regression(1)]
    [MemberData(nameof(MemoryKinds.Small), MemberType = typeof(MemoryKinds))]
    public void Fill_RacingTheFaultAndNeverReading_NobodySleepsForEver(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 64);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        IMemoryAccess accessor = Bed.TakeAccessor();
        byte[] page = Pattern.Bytes(PageSize.Small, 1);
        Repeat(round =>
        {
            PendingWork<bool> loads = Testbed.StartCall("loads", () => Enumerable.Range(0, 64)
                .All(index => accessor.Load(area.At(index), out ulong value).IsOk && value == Pattern.Word(1, 0)));
            for (int index = 0; index < 64; index++)
            {
                Spin((round + index) % 50 * 20);
                Expect.Filled(monitor.Uffd.Copy(area.At(index), page), PageSize.Small);
            }

            Assert.True(loads.Await());
            monitor.ExpectNothingQueued();
            Expect.Ok(Bed.Space.Advise(area.Range, kind == MemoryKind.ShmemShared ? Advice.Remove : Advice.DontNeed));
        });
    }

    // The end of a context takes its marks off every mapping, also off those that a fork is just copying.
    [Theory]
    [Regression(2)]
    [Regression(11)]
    [InlineData(UserfaultfdFeatures.None)]
    [InlineData(UserfaultfdFeatures.EventFork)]
    public void Close_WhileForking_NothingStaysRegistered(UserfaultfdFeatures features)
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Repeat(round =>
        {
            FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect, features);
            PendingWork<SystemResult<IAddressSpace>> fork = Testbed.StartCall("fork", Bed.Space.Fork);
            Spin(round % 50 * 400);
            monitor.Dispose();
            using IAddressSpace child = Expect.Ok(fork.Await());
            Assert.Equal(RegisterModes.None, Bed.Vma(area.Range).RegisteredModes);
            Assert.All(Expect.Ok(child.Inspector.GetMappings(area.Range)), vma => Assert.Equal(RegisterModes.None, vma.RegisteredModes));
            using IMemoryAccess access = Expect.Ok(child.OpenAccess());
            Assert.Equal(0UL, PendingAccess.Load(access, area.At(1)).AwaitValue());
        });
    }

    [Fact]
    [Regression(17)]
    public void WriteProtect_WhileTheOwnerExits_SucceedsThenESRCH()
    {
        for (int round = 0; round < 10; round++)
        {
            IAddressSpace space = Bed.OwnSpace(Expect.Ok(Engine.CreateAddressSpace()));
            VirtualAddress start = Expect.Ok(space.Map(MapRequest.PrivateAnonymous(64 * PageSize.Small)));
            AddressRange range = new(start, 64 * PageSize.Small);
            using IUserfaultfd uffd = Expect.Ok(UserfaultfdHandshake.Open(space, UserfaultfdFeatures.WriteProtectUnpopulated));
            Assert.Equal(Errno.None, uffd.Register(range, RegisterModes.WriteProtect).Errno);
            PendingWork<Errno> protecting = Testbed.StartCall("write-protect", () =>
            {
                Errno errno = Errno.None;
                while (errno == Errno.None)
                {
                    errno = uffd.WriteProtect(range, WriteProtectModes.Protect).Errno;
                }

                return errno;
            });
            Spin(round * 2000);
            space.Dispose();

            // ENOENT while the mappings are taken down one by one.
            Assert.Contains(protecting.Await(), (Errno[])[Errno.ESRCH, Errno.ENOENT]);
            Expect.Fails(uffd.WriteProtect(range, WriteProtectModes.Protect), Errno.ESRCH);
        }
    }

    // Faults that are on their way when their context goes see that it goes, and take the ordinary path: no error, no sleep.
    [Theory]
    [Regression(23)]
    [Regression(38)]
    [MemberData(nameof(MemoryKinds.All), MemberType = typeof(MemoryKinds))]
    public void Close_WhileThreadsFaultAndPopulate_EveryoneGoesOn(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, kind.IsHugetlb() ? 4 : 64);
        IMemoryAccess[] accessors = [Bed.TakeAccessor(), Bed.TakeAccessor()];
        Repeat(round =>
        {
            FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
            PendingWork<bool>[] loads = [.. accessors.Select((accessor, number) => Testbed.StartCall("loads", () => Enumerable.Range(0, area.PageTotal)
                .All(page => accessor.Load(area.At(number == 0 ? page : area.PageTotal - 1 - page), out ulong value).IsOk && value == 0)))];
            PendingWork<SystemResult> populate = Testbed.StartCall("populate", () => Bed.Space.Advise(area.Range, Advice.PopulateRead));
            Spin(round % 20 * 500);
            monitor.Dispose();
            Assert.All(loads, load => Assert.True(load.Await()));
            Expect.Ok(populate.Await());
            Expect.Ok(Bed.Space.Advise(area.Range, kind.IsShared() ? Advice.Remove : Advice.DontNeed));
        });
    }

    // Page tables come and go under the fills: they succeed, find something there, or are to be tried again.
    [Fact]
    [Regression(36)]
    public void Continue_WhileTheFileIsCollapsed_AnswersAsTabulatedAndContentsStay()
    {
        const int Pages = (int)(PageSize.Huge / PageSize.Small);
        MappedArea area = Bed.Map(MemoryKind.ShmemShared, Pages);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        MappedArea alias = Bed.Alias(area);
        SystemResult collapse = HugePages.Collapse(Bed, alias.Range);
        Testbed.SkipIf(collapse.IsOk ? null : $"The engine does not collapse files: MADV_COLLAPSE answers {collapse.Errno}.");
        long end = Stopwatch.GetTimestamp() + (long)(Sampling.TotalSeconds * Stopwatch.Frequency);
        PendingWork<bool> collapses = Testbed.StartCall("collapse", () =>
        {
            while (Stopwatch.GetTimestamp() < end)
            {
                _ = Bed.Space.Advise(area.Range, Advice.Collapse);
                Expect.Ok(Bed.Space.Advise(alias.Range, Advice.DontNeed));
            }

            return true;
        });
        IMemoryAccess accessor = Bed.TakeAccessor();
        for (int page = 0; !collapses.IsDone; page = (page + 37) % Pages)
        {
            FillResult filled = monitor.Uffd.Continue(area.Page(page));
            Assert.True(filled.Errno is Errno.None or Errno.EEXIST or Errno.EAGAIN, $"CONTINUE answered {filled}.");
            Expect.Ok(Bed.Space.Advise(area.Page((page + 5) % Pages), Advice.DontNeed));
            Assert.True(filled.IsChanging || (accessor.Load(alias.At(page), out ulong value).IsOk && value == Pattern.Word((ulong)page, 0)));
        }

        Assert.True(collapses.Await());
        Assert.Equal(Errno.None, monitor.Uffd.Unregister(area.Range).Errno);
        Assert.All(Enumerable.Range(0, Pages), page => Assert.Equal(Pattern.Word((ulong)page, 8), Bed.Load(area.At(page, 8))));
    }

    // The source is in the swap cache, being brought back by a load: the page arrives once, wherever it is, and nothing is counted twice.
    [Fact]
    [Regression(39)]
    [Regression(48)]
    [Section("4.9")]
    public void Move_SwappedSourceTouchedMeanwhile_NoPageIsLostAndCountersReturn()
    {
        Bed.NeedSwap();
        MappedArea source = Bed.MapAnonymous(pages: 1);
        MappedArea target = Bed.MapAnonymous(pages: 1);
        FaultMonitor monitor = Bed.Watch(target, RegisterModes.Missing);
        IMemoryAccess reader = Bed.TakeAccessor();
        ResidentCounters before = Expect.Ok(Bed.Space.Inspector.GetCounters());
        Repeat(round =>
        {
            Bed.Store(source.At(0), (ulong)round + 1);
            Bed.SwapOut(source.Range);
            PendingWork<ulong> load = Testbed.StartCall("load", () => reader.Load(source.At(0), out ulong value).IsOk ? value : ulong.MaxValue);
            Spin(round % 20 * 100);
            FillResult moved = monitor.Uffd.Move(target.At(0), source.At(0), PageSize.Small);
            Assert.True(moved.Errno is Errno.None or Errno.EEXIST or Errno.EBUSY or Errno.EAGAIN, $"MOVE answered {moved}.");
            Assert.Contains(load.Await(), (ulong[])[0, (ulong)round + 1]);
            PagemapEntry there = Bed.Pagemap(target, 0);
            Assert.Equal((ulong)round + 1, Bed.Load(there.IsPresent || there.IsSwap ? target.At(0) : source.At(0)));
            Expect.Ok(Bed.Space.Advise(source.Range, Advice.DontNeed));
            Expect.Ok(Bed.Space.Advise(target.Range, Advice.DontNeed));
            Assert.Equal(before, Expect.Ok(Bed.Space.Inspector.GetCounters()));
        });
    }

    // A protected page goes to swap while a store to it faults: the store always gets through.
    [Fact]
    [Regression(45)]
    public void Store_ProtectedPageSwappedOutMeanwhile_NoLostWake()
    {
        Bed.NeedSwap();
        MappedArea area = Bed.MapAnonymous(pages: 1);
        Bed.Store(area.At(0));
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.WriteProtect);
        using FaultResolver resolver = new(Bed, monitor, area);
        IMemoryAccess writer = Bed.TakeAccessor();
        Repeat(round =>
        {
            Expect.Ok(monitor.Uffd.WriteProtect(area.Range, WriteProtectModes.Protect));
            PendingWork<bool> store = Testbed.StartCall("store", () => writer.Store(area.At(0), (ulong)round).IsOk);
            Spin(round % 20 * 100);
            Expect.Ok(Bed.Space.Advise(area.Range, Advice.PageOut));
            Assert.True(store.Await());
            Assert.Equal((ulong)round, Bed.Load(area.At(0)));
        });
        resolver.AssertNoError();
    }

    private static void Repeat(Action<int> body)
    {
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round == 0 || Stopwatch.GetElapsedTime(start) < Sampling; round++)
        {
            body(round);
        }
    }

    private static void Spin(int turns) => Thread.SpinWait(turns);
}
