using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>Real instructions in a child address space, and how each kind of fault ends them.</summary>
public sealed class ChildrenAccessTests : IDisposable
{
    private const ulong Page = PageSize.Small;

    private readonly LinuxEngine _engine = new();
    private readonly IAddressSpace _space;

    public ChildrenAccessTests()
    {
        Assert.SkipUnless(_engine.Capabilities.ManyAddressSpaces.IsAvailable, _engine.Capabilities.ManyAddressSpaces.Reason);
        _space = _engine.CreateAddressSpace().OrThrow("clone");
    }

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void Write_ThenRead_ReturnsBytes()
    {
        using IMemoryAccess access = _space.OpenAccess().OrThrow("access");
        VirtualAddress at = _space.Map(MapRequest.PrivateAnonymous(64 * Page)).OrThrow("mmap");
        byte[] written = new byte[(32 * Page) + 5];
        new Random(7).NextBytes(written);
        AccessResult result = access.Write(at + 3, written);
        Assert.Equal(new AccessResult(AccessFault.None, default, (ulong)written.Length), result);
        byte[] read = new byte[written.Length];
        Assert.True(access.Read(at + 3, read).IsOk);
        Assert.Equal(written, read);
    }

    [Fact]
    public void CompareExchange_Equal_Stores()
    {
        using IMemoryAccess access = _space.OpenAccess().OrThrow("access");
        VirtualAddress at = _space.Map(MapRequest.PrivateAnonymous(Page)).OrThrow("mmap");
        Assert.True(access.Store(at + 8, 5).IsOk);
        Assert.True(access.CompareExchange(at + 8, 9, 4, out ulong observed).IsOk);
        Assert.Equal(5UL, observed);
        Assert.True(access.CompareExchange(at + 8, 9, 5, out observed).IsOk);
        Assert.Equal(5UL, observed);
        Assert.True(access.Load(at + 8, out ulong value).IsOk);
        Assert.Equal(9UL, value);
    }

    [Fact]
    public void Access_NothingMapped_IsNotMapped()
    {
        using IMemoryAccess access = _space.OpenAccess().OrThrow("access");
        VirtualAddress address = new(0x10_0000_0040);
        AccessResult expected = new(AccessFault.NotMapped, address, 0);
        Assert.Equal(expected, access.Load(address, out _));
        Assert.Equal(expected, access.Store(address, 1));
        Assert.Equal(expected, access.CompareExchange(address, 1, 0, out _));
        Assert.Equal(expected, access.Read(address, new byte[10]));
        Assert.Equal(expected, access.Write(address, new byte[10]));
        Assert.Equal(AccessFault.NotMapped, access.Load(new(0x8000_0000_0000_0000), out _).Fault);
    }

    [Fact]
    public void Write_AcrossEndOfMapping_CountsBytesBefore()
    {
        using IMemoryAccess access = _space.OpenAccess().OrThrow("access");
        VirtualAddress at = _space.Map(MapRequest.PrivateAnonymous(2 * Page)).OrThrow("mmap");
        _space.Unmap(new(at + Page, Page)).OrThrow("munmap");
        AccessResult result = access.Write(at + Page - 100, new byte[200]);
        Assert.Equal(AccessFault.NotMapped, result.Fault);
        Assert.Equal(100UL, result.BytesDone);
        Assert.Equal(at + Page, result.Address.AlignDown(Page));
    }

    [Fact]
    public void Store_ReadOnlyMapping_IsProtection()
    {
        using IMemoryAccess access = _space.OpenAccess().OrThrow("access");
        VirtualAddress at = _space.Map(MapRequest.PrivateAnonymous(Page) with { Protection = Protections.Read }).OrThrow("mmap");
        Assert.True(access.Load(at, out _).IsOk);
        Assert.Equal(new AccessResult(AccessFault.Protection, at + 16, 0), access.Store(at + 16, 1));
        _space.Protect(new(at, Page), Protections.None).OrThrow("mprotect");
        Assert.Equal(new AccessResult(AccessFault.Protection, at + 16, 0), access.Load(at + 16, out _));
    }

    [Fact]
    public void Load_BeyondEndOfFile_IsBusError()
    {
        using IMemoryAccess access = _space.OpenAccess().OrThrow("access");
        using IMemoryFile file = _engine.CreateMemoryFile(new() { Name = "short", Size = Page }).OrThrow("memfd_create");
        VirtualAddress at = _space.Map(MapRequest.SharedFile(file, 2 * Page)).OrThrow("mmap");
        Assert.True(access.Store(at, 0xabcd).IsOk);
        byte[] seen = new byte[2];
        Assert.Equal(2, file.Read(0, seen).OrThrow("pread"));
        Assert.Equal([0xcd, 0xab], seen);
        Assert.Equal(new AccessResult(AccessFault.BusError, at + Page + 24, 0), access.Load(at + Page + 24, out _));
    }

    [Fact]
    public void KernelMode_BadAddress_CountsBytesExactly()
    {
        using IMemoryAccess access = _space.OpenAccess(AccessMode.Kernel).OrThrow("access");
        VirtualAddress at = _space.Map(MapRequest.PrivateAnonymous(2 * Page)).OrThrow("mmap");
        Assert.True(access.Store(at, 77).IsOk);
        Assert.True(access.Load(at, out ulong value).IsOk);
        Assert.Equal(77UL, value);
        byte[] bytes = new byte[Page];
        new Random(9).NextBytes(bytes);
        _space.Protect(new(at + Page, Page), Protections.None).OrThrow("mprotect");
        Assert.Equal(new AccessResult(AccessFault.BadAddress, default, 1001), access.Write(at + Page - 1001, bytes));
        byte[] read = new byte[2000];
        Assert.Equal(new AccessResult(AccessFault.BadAddress, default, 1001), access.Read(at + Page - 1001, read));
        Assert.Equal(bytes[..1001], read[..1001]);
        Assert.Throws<InvalidOperationException>(() => access.CompareExchange(at, 0, 0, out _));
    }

    [Fact]
    public void Counters_EmptyChild_AreTiny()
    {
        using IMemoryAccess access = _space.OpenAccess().OrThrow("access");
        Assert.Equal(default, _space.Inspector.GetCounters().OrThrow("status"));
        IReadOnlyList<VmaInfo> mappings = _space.Inspector.GetMappings(new(default, 1UL << 47)).OrThrow("smaps");
        Assert.Empty(mappings);
        VirtualAddress at = _space.Map(MapRequest.PrivateAnonymous(3 * Page)).OrThrow("mmap");
        Assert.Equal(new FaultCounts(0, 0), access.FaultCounts);
        Assert.True(access.Write(at, new byte[3 * Page]).IsOk);
        Assert.Equal(new FaultCounts(3, 0), access.FaultCounts);
        Assert.Equal(new ResidentCounters(3 * Page, 0, 0, 0), _space.Inspector.GetCounters().OrThrow("status"));
    }

    [Fact]
    public void CallsAndAccesses_Repeated_AllocateNothing()
    {
        using IMemoryAccess user = _space.OpenAccess().OrThrow("access");
        using IMemoryAccess kernel = _space.OpenAccess(AccessMode.Kernel).OrThrow("access");
        VirtualAddress at = _space.Map(MapRequest.PrivateAnonymous(4 * Page)).OrThrow("mmap");
        byte[] bytes = new byte[2 * Page];
        int allocating = 0;
        for (int round = 0; round < 100; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            bool all = user.Store(at, 1).IsOk
                & user.Load(at, out _).IsOk
                & user.CompareExchange(at, 2, 1, out _).IsOk
                & user.Write(at, bytes).IsOk
                & user.Read(at, bytes).IsOk
                & kernel.Write(at, bytes).IsOk
                & kernel.Load(at, out _).IsOk
                & !user.Load(new(8), out _).IsOk
                & _space.Advise(new(at, Page), Advice.DontNeed).IsOk;
            Assert.True(all);
            allocating += GC.GetAllocatedBytesForCurrentThread() == before ? 0 : 1;
        }

        // The first round compiles, and the runtime makes what a lock needs when it is first contended in whatever round that is.
        Assert.InRange(allocating, 0, 2);
    }

    [Fact(Timeout = 200_000)]
    public async Task Load_MissingPage_WaitsForCopy()
    {
        Assert.SkipUnless(_engine.Capabilities.Userfaultfd.IsAvailable, _engine.Capabilities.Userfaultfd.Reason);
        VirtualAddress at = _space.Map(MapRequest.PrivateAnonymous(Page)).OrThrow("mmap");
        using IUserfaultfd context = UserfaultfdHandshake.Open(
            _space,
            UserfaultfdFeatures.ThreadId,
            options: UserfaultfdOptions.NonBlocking | UserfaultfdOptions.CloseOnExec | UserfaultfdOptions.UserModeOnly).OrThrow("userfaultfd");
        Assert.True(context.Register(new(at, Page), RegisterModes.Missing).IsOk);
        using IMemoryAccess access = _space.OpenAccess().OrThrow("access");
        Task<ulong> loading = Task.Run(() =>
        {
            access.Load(at + 8, out ulong value);
            return value;
        }, TestContext.Current.CancellationToken);
        using IUserfaultfdPoller poller = _engine.CreatePoller();
        poller.Add(context, 1).OrThrow("epoll_ctl");
        Assert.Equal(1, poller.Wait(new long[1], Deadline.NormalMs).OrThrow("epoll_wait"));
        var messages = new UserfaultfdMessage[2];
        Assert.Equal(1, context.Read(messages).OrThrow("read"));
        Assert.Equal(access.ThreadId, messages[0].ThreadId);
        Assert.Equal(at, messages[0].Address);
        byte[] content = new byte[Page];
        content[8] = 42;
        Assert.True(context.Copy(at, content).IsOk);
        Assert.Equal(42UL, await loading);
    }

    // A read that slept with a lock of the arena's file would keep every other child from reading.
    [Fact(Timeout = 20_000)]
    public async Task KernelModeRead_WhileAnotherSleepsInAFault_IsNotHeldUp()
    {
        Assert.SkipUnless(_engine.Capabilities.KernelFaults.IsAvailable, _engine.Capabilities.KernelFaults.Reason);
        VirtualAddress at = _space.Map(MapRequest.PrivateAnonymous(Page)).OrThrow("mmap");
        using IUserfaultfd context = UserfaultfdHandshake.Open(_space, default).OrThrow("userfaultfd");
        Assert.True(context.Register(new(at, Page), RegisterModes.Missing).IsOk);
        using IMemoryAccess sleeper = _space.OpenAccess(AccessMode.Kernel).OrThrow("access");
        Task<AccessResult> sleeping = Task.Run(() => sleeper.Load(at, out _), TestContext.Current.CancellationToken);
        using IUserfaultfdPoller poller = _engine.CreatePoller();
        poller.Add(context, 1).OrThrow("epoll_ctl");
        Assert.Equal(1, poller.Wait(new long[1], Deadline.NormalMs).OrThrow("epoll_wait"));

        IAddressSpace other = _engine.CreateAddressSpace().OrThrow("clone");
        VirtualAddress there = other.Map(MapRequest.PrivateAnonymous(Page)).OrThrow("mmap");
        using IMemoryAccess reader = other.OpenAccess(AccessMode.Kernel).OrThrow("access");
        Task<AccessResult> reading = Task.Run(() => reader.Load(there, out _), TestContext.Current.CancellationToken);
        bool isHeldUp = await Task.WhenAny(reading, Task.Delay(5000, TestContext.Current.CancellationToken)) != reading;
        Assert.True(context.Zeropage(new(at, Page)).IsOk);

        Assert.False(isHeldUp, "A kernel-mode read of another address space waited for one that sleeps in a fault.");
        Assert.True((await reading).IsOk);
        Assert.True((await sleeping).IsOk);
    }
}
