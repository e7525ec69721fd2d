using System;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>Copies of address spaces: of children, of copies, and of this process.</summary>
public sealed class ChildrenForkTests : IDisposable
{
    private const ulong Page = PageSize.Small;

    private readonly LinuxEngine _engine = new();

    public ChildrenForkTests() =>
        Assert.SkipUnless(_engine.Capabilities.ManyAddressSpaces.IsAvailable, _engine.Capabilities.ManyAddressSpaces.Reason);

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void Fork_PrivateAndShared_CopiesAndShares()
    {
        IAddressSpace parent = _engine.CreateAddressSpace().OrThrow("clone");
        using IMemoryFile file = _engine.CreateMemoryFile(new() { Name = "shared", Size = Page }).OrThrow("memfd_create");
        VirtualAddress own = parent.Map(MapRequest.PrivateAnonymous(Page)).OrThrow("mmap");
        VirtualAddress shared = parent.Map(MapRequest.SharedFile(file, Page)).OrThrow("mmap");
        using IMemoryAccess before = parent.OpenAccess().OrThrow("access");
        Assert.True(before.Store(own, 1).IsOk);
        Assert.True(before.Store(shared, 1).IsOk);

        using IAddressSpace child = parent.Fork().OrThrow("fork");
        using IMemoryAccess after = child.OpenAccess().OrThrow("access");
        Assert.True(after.Load(own, out ulong value).IsOk);
        Assert.Equal(1UL, value);
        Assert.Equal(new FaultCounts(0, 0), after.FaultCounts);
        Assert.True(after.Store(own, 2).IsOk);
        Assert.Equal(new FaultCounts(1, 0), after.FaultCounts);
        Assert.True(after.Store(shared, 2).IsOk);
        Assert.True(before.Load(own, out value).IsOk);
        Assert.Equal(1UL, value);
        Assert.True(before.Load(shared, out value).IsOk);
        Assert.Equal(2UL, value);

        parent.Dispose();
        Assert.Equal(AccessFault.Killed, before.Load(own, out _).Fault);
        Assert.Equal(Errno.ESRCH, parent.Map(MapRequest.PrivateAnonymous(Page)).Errno);
        Assert.Equal(Errno.ESRCH, parent.Inspector.GetCounters().Errno);
        using IAddressSpace grandchild = child.Fork().OrThrow("fork");
        using IMemoryAccess last = grandchild.OpenAccess().OrThrow("access");
        Assert.True(last.Load(own, out value).IsOk);
        Assert.Equal(2UL, value);
    }

    [Fact]
    public void ForkOfHome_Memory_IsCopied()
    {
        VirtualAddress at = _engine.Home.Map(MapRequest.PrivateAnonymous(2 * Page)).OrThrow("mmap");
        using IMemoryAccess home = _engine.Home.OpenAccess(AccessMode.Kernel).OrThrow("access");
        Assert.True(home.Store(at, 11).IsOk);
        using IAddressSpace child = _engine.Home.Fork().OrThrow("fork");
        using IMemoryAccess access = child.OpenAccess().OrThrow("access");
        Assert.True(access.Load(at, out ulong value).IsOk);
        Assert.Equal(11UL, value);
        Assert.True(access.Store(at, 12).IsOk);
        Assert.True(home.Load(at, out value).IsOk);
        Assert.Equal(11UL, value);
        Assert.Equal(AccessFault.NotMapped, access.Load(new(64), out _).Fault);
        _engine.Home.Unmap(new(at, 2 * Page)).OrThrow("munmap");
        Assert.True(access.Load(at + Page, out _).IsOk);
    }

    [Fact]
    public void UserAccess_OnHome_IsRefused() => Assert.Equal(Errno.EOPNOTSUPP, _engine.Home.OpenAccess().Errno);

    [Fact(Timeout = 200_000)]
    public async Task Fork_WithForkEvents_WaitsForReader()
    {
        IAddressSpace parent = _engine.CreateAddressSpace().OrThrow("clone");
        VirtualAddress at = parent.Map(MapRequest.PrivateAnonymous(4 * Page)).OrThrow("mmap");
        SystemResult<IUserfaultfd> opened = UserfaultfdHandshake.Open(parent, UserfaultfdFeatures.EventFork);
        Assert.SkipWhen(opened.Errno == Errno.EPERM, "FORK events need CAP_SYS_PTRACE.");
        using IUserfaultfd context = opened.OrThrow("userfaultfd");
        Assert.True(context.Register(new(at, 4 * Page), RegisterModes.Missing).IsOk);
        Task<SystemResult<IAddressSpace>> forking = StartAsync(parent.Fork);
        using IUserfaultfdPoller poller = _engine.CreatePoller();
        poller.Add(context, 1).OrThrow("epoll_ctl");
        Assert.Equal(1, poller.Wait(new long[1], Deadline.NormalMs).OrThrow("epoll_wait"));
        Assert.False(forking.IsCompleted);

        // Another call of the address space's does not have to wait for the fork.
        Assert.Equal(Errno.EINVAL, parent.Advise(new(new(1), Page), Advice.Normal).Errno);

        var messages = new UserfaultfdMessage[1];
        Assert.Equal(1, context.Read(messages).OrThrow("read"));
        using IUserfaultfd forked = messages[0].Forked!;
        using IAddressSpace child = (await forking).OrThrow("fork");

        // MOVE must be issued by the owner: the new context knows its address space.
        FillResult whole = new(Errno.None, (long)Page);
        Assert.Equal(whole, forked.Zeropage(new(at + (2 * Page), Page)));
        Assert.Equal(whole, forked.Copy(new AddressRange(at + Page, Page), at + (2 * Page)));
        using IMemoryAccess access = child.OpenAccess().OrThrow("access");
        Assert.True(access.Store(at + Page, 3).IsOk);
        Assert.Equal(whole, forked.Move(at, at + Page, Page));
        Assert.True(access.Load(at, out ulong value).IsOk);
        Assert.Equal(3UL, value);
    }

    [Fact(Timeout = 200_000)]
    public async Task Fork_ParentDisposedMeanwhile_AnswersError()
    {
        IAddressSpace parent = _engine.CreateAddressSpace().OrThrow("clone");
        VirtualAddress at = parent.Map(MapRequest.PrivateAnonymous(Page)).OrThrow("mmap");
        SystemResult<IUserfaultfd> opened = UserfaultfdHandshake.Open(parent, UserfaultfdFeatures.EventFork);
        Assert.SkipWhen(opened.Errno == Errno.EPERM, "FORK events need CAP_SYS_PTRACE.");
        using IUserfaultfd context = opened.OrThrow("userfaultfd");
        Assert.True(context.Register(new(at, Page), RegisterModes.Missing).IsOk);
        Task<SystemResult<IAddressSpace>> forking = StartAsync(parent.Fork);
        using IUserfaultfdPoller poller = _engine.CreatePoller();
        poller.Add(context, 1).OrThrow("epoll_ctl");
        Assert.Equal(1, poller.Wait(new long[1], Deadline.NormalMs).OrThrow("epoll_wait"));
        parent.Dispose();
        Assert.Equal(Errno.ESRCH, (await forking).Errno);
    }

    internal static Task<T> StartAsync<T>(Func<T> action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
