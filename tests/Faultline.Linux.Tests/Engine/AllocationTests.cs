using System;
using System.Threading;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>The hot verbs allocate nothing: counted by the runtime, thread by thread.</summary>
public sealed class AllocationTests : IDisposable
{
    private const int Pages = 1000;
    private const ulong Length = Pages * PageSize.Small;

    private readonly LinuxEngine _engine = new();

    public AllocationTests() => Require.KernelFaults();

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void Continue_OfCachedPages_AllocatesNothing()
    {
        using IMemoryFile file = _engine.CreateMemoryFile(new() { Name = "allocation", Size = Length }).OrThrow("memfd_create");
        file.Allocate(0, Length).OrThrow("fallocate");
        VirtualAddress at = _engine.Home.Map(MapRequest.SharedFile(file, Length)).OrThrow("mmap");
        using IUserfaultfd context = Open(at, RegisterModes.Minor);
        AssertNothingAllocated(page => context.Continue(Page(at, page)).IsOk);
        AssertNothingAllocated(page => context.Continue(Page(at, page)).Errno == Errno.EEXIST);
        _engine.Home.Unmap(new(at, Length)).OrThrow("munmap");
    }

    [Fact]
    public void Copy_AndWake_AllocateNothing()
    {
        VirtualAddress at = _engine.Home.Map(MapRequest.PrivateAnonymous(Length)).OrThrow("mmap");
        using IUserfaultfd context = Open(at, RegisterModes.Missing);
        byte[] content = new byte[PageSize.Small];
        AssertNothingAllocated(page => context.Copy(at + (page * PageSize.Small), content).IsOk);
        AssertNothingAllocated(page => context.Wake(Page(at, page)).IsOk);
        AssertNothingAllocated(_ => context.GetCounts().IsOk);
        _engine.Home.Unmap(new(at, Length)).OrThrow("munmap");
    }

    [Fact]
    public void Zeropage_PoisonAndWriteProtect_AllocateNothing()
    {
        VirtualAddress at = _engine.Home.Map(MapRequest.PrivateAnonymous(2 * Length)).OrThrow("mmap");
        using IUserfaultfd context = UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.None).OrThrow("userfaultfd");
        Assert.True(context.Register(new(at, 2 * Length), RegisterModes.Missing | RegisterModes.WriteProtect).IsOk);
        AssertNothingAllocated(page => context.Zeropage(Page(at, page)).IsOk);
        AssertNothingAllocated(page => context.Poison(Page(at + Length, page)).IsOk);
        AssertNothingAllocated(page => context.WriteProtect(Page(at, page), WriteProtectModes.Protect).IsOk);
        _engine.Home.Unmap(new(at, 2 * Length)).OrThrow("munmap");
    }

    [Fact]
    public void Move_InOwnMemory_AllocatesNothing()
    {
        Assert.SkipUnless(_engine.Capabilities.Features.HasFlag(UserfaultfdFeatures.Move), "MOVE needs Linux 6.8 or later.");
        VirtualAddress at = _engine.Home.Map(MapRequest.PrivateAnonymous(Length)).OrThrow("mmap");
        VirtualAddress source = _engine.Home.Map(MapRequest.PrivateAnonymous(Length)).OrThrow("mmap");
        _engine.Home.Advise(new(source, Length), Advice.PopulateWrite).OrThrow("madvise");
        using IUserfaultfd context = Open(at, RegisterModes.Missing);
        AssertNothingAllocated(page => context.Move(at + (page * PageSize.Small), source + (page * PageSize.Small), PageSize.Small).IsOk);
        _engine.Home.Unmap(new(at, Length)).OrThrow("munmap");
        _engine.Home.Unmap(new(source, Length)).OrThrow("munmap");
    }

    [Fact]
    public void Access_ReadAndWrite_AllocateNothing()
    {
        VirtualAddress at = _engine.Home.Map(MapRequest.PrivateAnonymous(Length)).OrThrow("mmap");
        using IMemoryAccess access = _engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("access");
        byte[] bytes = new byte[100];
        _ = access.FaultCounts;
        AssertNothingAllocated(page => access.Store(at + (page * PageSize.Small), page).IsOk);
        AssertNothingAllocated(page => access.Load(at + (page * PageSize.Small), out ulong value).IsOk && value == page);
        AssertNothingAllocated(page => access.Write(at + (page * PageSize.Small), bytes).IsOk);
        AssertNothingAllocated(page => access.Read(at + (page * PageSize.Small), bytes).IsOk);
        AssertNothingAllocated(_ => access.FaultCounts.Minor > 0);
        AssertNothingAllocated(page => _engine.Home.Advise(Page(at, page), Advice.PopulateRead).IsOk);
        AssertNothingAllocated(page => _engine.Home.TryGetSpan(Page(at, page), out _));
        _engine.Home.Unmap(new(at, Length)).OrThrow("munmap");
    }

    [Fact]
    public void File_ReadAndWrite_AllocateNothing()
    {
        using IMemoryFile file = _engine.CreateMemoryFile(new() { Name = "allocation", Size = Length }).OrThrow("memfd_create");
        byte[] bytes = new byte[100];
        AssertNothingAllocated(page => file.Write(page * PageSize.Small, bytes).IsOk);
        AssertNothingAllocated(page => file.Read(page * PageSize.Small, bytes).IsOk);
        AssertNothingAllocated(page => file.FindData(page * PageSize.Small).IsOk);
        AssertNothingAllocated(_ => file.GetStatus().IsOk);
        AssertNothingAllocated(page => file.PunchHole(page * PageSize.Small, PageSize.Small).IsOk);
    }

    [Theory]
    [InlineData(UserfaultfdOptions.CloseOnExec)]
    [InlineData(UserfaultfdOptions.CloseOnExec | UserfaultfdOptions.NonBlocking)]
    public void WholeFaultLoop_WaitReadContinue_AllocatesNothingOnEitherSide(UserfaultfdOptions options)
    {
        using IMemoryFile file = _engine.CreateMemoryFile(new() { Name = "allocation", Size = Length }).OrThrow("memfd_create");
        file.Allocate(0, Length).OrThrow("fallocate");
        VirtualAddress at = _engine.Home.Map(MapRequest.SharedFile(file, Length)).OrThrow("mmap");
        using IUserfaultfd context = UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.MinorShmem, options: options).OrThrow("userfaultfd");
        Assert.True(context.Register(new(at, Length), RegisterModes.Minor).IsOk);
        using IUserfaultfdPoller? poller = (options & UserfaultfdOptions.NonBlocking) == 0 ? null : _engine.CreatePoller();
        poller?.Add(context, 1).OrThrow("epoll_ctl");
        using IMemoryAccess access = _engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("access");
        int allocatingLoads = 0;
        Thread reader = new(() =>
        {
            for (ulong page = 0; page < Pages; page++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                _ = access.Load(at + (page * PageSize.Small), out _);
                allocatingLoads += HasAllocated(page, before) ? 1 : 0;
            }
        });
        reader.Start();

        long[] tags = new long[4];
        var messages = new UserfaultfdMessage[16];
        int allocatingTurns = 0;
        for (int handled = 0; handled < Pages;)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            _ = poller?.Wait(tags, Deadline.NormalMs).Errno;
            int count = context.Read(messages).Value;
            for (int i = 0; i < count; i++)
            {
                _ = context.Continue(new(messages[i].Address, PageSize.Small));
            }

            allocatingTurns += HasAllocated((ulong)handled, before) ? 1 : 0;
            handled += count;
        }

        Assert.True(reader.Join(Deadline.Normal));
        Assert.InRange(allocatingTurns, 0, 1);
        Assert.InRange(allocatingLoads, 0, 1);
        _engine.Home.Unmap(new(at, Length)).OrThrow("munmap");
    }

    private static AddressRange Page(VirtualAddress at, ulong page) => new(at + (page * PageSize.Small), PageSize.Small);

    private static void AssertNothingAllocated(Func<ulong, bool> call)
    {
        int failures = 0;
        int allocating = 0;
        for (ulong page = 0; page < Pages; page++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            failures += call(page) ? 0 : 1;
            allocating += HasAllocated(page, before) ? 1 : 0;
        }

        Assert.Equal(0, failures);
        Assert.InRange(allocating, 0, 1);
    }

    // The first ten calls are not counted: the runtime may load and compile things. One of the others may allocate: the runtime makes
    // what a lock needs when it is first contended, by tests beside this one.
    private static bool HasAllocated(ulong call, long before) => GC.GetAllocatedBytesForCurrentThread() != before && call >= 10;

    private IUserfaultfd Open(VirtualAddress at, RegisterModes modes)
    {
        IUserfaultfd context = UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.None).OrThrow("userfaultfd");
        Assert.True(context.Register(new(at, Length), modes).IsOk);
        return context;
    }
}
