using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>How children and their accessors begin, wait and end, and that nothing is left of them.</summary>
public sealed class ChildrenLifeTests : IDisposable
{
    private const ulong Page = PageSize.Small;

    private readonly LinuxEngine _engine = new();

    public ChildrenLifeTests() =>
        Assert.SkipUnless(_engine.Capabilities.ManyAddressSpaces.IsAvailable, _engine.Capabilities.ManyAddressSpaces.Reason);

    public void Dispose() => _engine.Dispose();

    [Fact(Timeout = 200_000)]
    public async Task Interrupt_WaitingUserAccess_FaultsAgain()
    {
        using Armed armed = new(_engine, AccessMode.User);
        Task<AccessResult> waiting = armed.StartLoadAsync();
        Assert.Equal(armed.Access.ThreadId, armed.ReadFault().ThreadId);
        armed.Access.Interrupt();
        Assert.Equal(armed.Access.ThreadId, armed.ReadFault().ThreadId);
        Assert.False(waiting.IsCompleted);
        Assert.True(armed.Context.Zeropage(new(armed.At, Page)).IsOk);
        Assert.True((await waiting).IsOk);
    }

    [Fact(Timeout = 200_000)]
    public async Task AccessorDispose_WhileWaiting_EndsAccessAsKilled()
    {
        using Armed armed = new(_engine, AccessMode.User);
        Task<AccessResult> waiting = armed.StartLoadAsync();
        armed.ReadFault();
        armed.Access.Dispose();
        Assert.Equal(new AccessResult(AccessFault.Killed, default, 0), await waiting);
        Assert.Throws<ObjectDisposedException>(() => armed.Access.Load(armed.At, out _));
        using IMemoryAccess other = armed.Space.OpenAccess().OrThrow("access");
        Assert.Equal(AccessFault.NotMapped, other.Load(new(8), out _).Fault);
    }

    [Theory(Timeout = 200_000)]
    [InlineData(AccessMode.User)]
    [InlineData(AccessMode.Kernel)]
    public async Task SpaceDispose_WhileWaiting_EndsAccessAsKilled(AccessMode mode)
    {
        using Armed armed = new(_engine, mode);
        Task<AccessResult> waiting = armed.StartLoadAsync();
        armed.ReadFault();
        armed.Space.Dispose();
        Assert.Equal(new AccessResult(AccessFault.Killed, default, 0), await waiting);
        Assert.Equal(new FillResult(Errno.ESRCH, FillResult.FieldUntouched), armed.Context.Zeropage(new(armed.At, Page)));
    }

    [Fact(Timeout = 200_000)]
    public async Task KilledFromOutside_WhileWaiting_EndsAccessAsKilled()
    {
        using Armed armed = new(_engine, AccessMode.User);
        Task<AccessResult> waiting = armed.StartLoadAsync();
        armed.ReadFault();
        Process.GetProcessById(ProcessOf(armed.Access)).Kill();
        Assert.Equal(AccessFault.Killed, (await waiting).Fault);
        Assert.Equal(Errno.ESRCH, armed.Space.Fork().Errno);
    }

    [Fact(Timeout = 200_000)]
    public async Task EngineDispose_WhileWaiting_EndsEverything()
    {
        using LinuxEngine engine = new();
        using Armed armed = new(engine, AccessMode.User);
        Task<AccessResult> waiting = armed.StartLoadAsync();
        armed.ReadFault();
        engine.Dispose();
        Assert.Equal(AccessFault.Killed, (await waiting).Fault);
        Assert.Equal(Errno.ECANCELED, engine.CreateAddressSpace().Errno);
    }

    [Fact]
    public void Stub_UnmapProtectOverwrite_IsRefused()
    {
        using IAddressSpace space = _engine.CreateAddressSpace().OrThrow("clone");
        using IMemoryAccess access = space.OpenAccess().OrThrow("access");
        string[] map = [.. File.ReadAllLines($"/proc/{ProcessOf(access)}/maps").Where(line => !line.EndsWith("[vsyscall]", StringComparison.Ordinal))];
        Assert.All(map, line => Assert.Contains("faultline-children", line));
        ulong[] ends = [.. map[0].Split(' ')[0].Split('-').Select(one => ulong.Parse(one, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
        var code = AddressRange.Between(new(ends[0]), new(ends[1]));
        Assert.Equal(Errno.EPERM, space.Unmap(new(new(0), 1UL << 47)).Errno);
        Assert.Equal(Errno.EPERM, space.Protect(code, Protections.ReadWrite).Errno);
        Assert.Equal(Errno.EPERM, space.Advise(code, Advice.Remove).Errno);
        Assert.Equal(Errno.EPERM, space.Remap(code, code.Length, RemapOptions.MayMove).Errno);
        MapRequest over = MapRequest.PrivateAnonymous(Page) with { Address = code.Start };
        over = over with { Options = over.Options | MapOptions.Fixed };
        Assert.Equal(Errno.EPERM, space.Map(over).Errno);
        Assert.Equal(new AccessResult(AccessFault.NotMapped, code.Start, 0), access.Store(code.Start, 0));
        Assert.Equal(AccessFault.NotMapped, access.Load(new(8), out _).Fault);
    }

    [Fact(Timeout = 200_000)]
    public async Task ManyThreads_OwnPages_EachSeesItsOwn()
    {
        using IAddressSpace space = _engine.CreateAddressSpace().OrThrow("clone");
        const int Threads = 24;
        VirtualAddress at = space.Map(MapRequest.PrivateAnonymous(Threads * Page)).OrThrow("mmap");
        Task<ulong>[] counting = [.. Enumerable.Range(0, Threads).Select(index => RunAsync(() =>
        {
            using IMemoryAccess access = space.OpenAccess().OrThrow("access");
            VirtualAddress own = at + ((ulong)index * Page);
            ulong value = 0;
            for (ulong round = 1; round <= 200; round++)
            {
                Assert.True(access.Store(own, round).IsOk);
                Assert.True(access.Load(own, out value).IsOk);
                Assert.Equal(round, value);
                Add(access, at + 8);
                if (round % 20 == 0)
                {
                    space.Advise(new(own, Page), Advice.Normal).OrThrow("madvise");
                    VirtualAddress other = space.Map(MapRequest.PrivateAnonymous(Page)).OrThrow("mmap");
                    space.Unmap(new(other, Page)).OrThrow("munmap");
                }
            }

            return value;
        }))];
        Assert.All(await Task.WhenAll(counting), value => Assert.Equal(200UL, value));
        using IMemoryAccess after = space.OpenAccess().OrThrow("access");
        Assert.True(after.Load(at + 8, out ulong sum).IsOk);
        Assert.Equal(Threads * 200UL, sum);
    }

    [Fact(Timeout = 200_000)]
    public async Task Engine_ParallelSpaces_AreIndependent()
    {
        Task<bool>[] running = [.. Enumerable.Range(0, 8).Select(index => RunAsync(() =>
        {
            for (ulong round = 0; round < 10; round++)
            {
                using IAddressSpace space = _engine.CreateAddressSpace().OrThrow("clone");
                VirtualAddress at = space.Map(MapRequest.PrivateAnonymous(4 * Page) with { Address = new(0x2000_0000_0000) }).OrThrow("mmap");
                Assert.Equal(new VirtualAddress(0x2000_0000_0000), at);
                using IMemoryAccess access = space.OpenAccess().OrThrow("access");
                Assert.True(access.Store(at, ((ulong)index * 100) + round).IsOk);
                using IAddressSpace copy = space.Fork().OrThrow("fork");
                using IMemoryAccess reader = copy.OpenAccess().OrThrow("access");
                Assert.True(reader.Load(at, out ulong value).IsOk);
                Assert.Equal(((ulong)index * 100) + round, value);
            }

            return true;
        }))];
        Assert.All(await Task.WhenAll(running), Assert.True);
    }

    [Fact(Timeout = 200_000)]
    public async Task ParentProcessKilled_ChildrenWithSleepingThreads_EndToo()
    {
        Assert.SkipUnless(_engine.Capabilities.Userfaultfd.IsAvailable, _engine.Capabilities.Userfaultfd.Reason);
        using Process parent = OrphanProgram.Start();
        string? line = await parent.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        int[] pids = [.. line!.Split(' ').Select(one => int.Parse(one, CultureInfo.InvariantCulture))];
        Assert.Equal(2, pids.Length);
        Assert.All(pids, pid => Assert.True(Directory.Exists($"/proc/{pid}")));
        parent.Kill();
        await parent.WaitForExitAsync(TestContext.Current.CancellationToken);
        long deadline = Environment.TickCount64 + Deadline.NormalMs;
        while (pids.Any(IsAlive))
        {
            Assert.True(Environment.TickCount64 < deadline, "A child outlived its parent.");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The process of an accessor.</summary>
    internal static int ProcessOf(IMemoryAccess access) => int.Parse(
        File.ReadLines($"/proc/{access.ThreadId}/status").First(line => line.StartsWith("Tgid:", StringComparison.Ordinal))[5..],
        CultureInfo.InvariantCulture);

    private static void Add(IMemoryAccess access, VirtualAddress at)
    {
        ulong expected = 0;
        while (true)
        {
            Assert.True(access.CompareExchange(at, expected + 1, expected, out ulong observed).IsOk);
            if (observed == expected)
            {
                return;
            }

            expected = observed;
        }
    }

    /// <summary>What /proc says of a process, from its state on: state, parent, group.</summary>
    internal static string[] Stat(int pid)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
    }

    /// <summary>Whether a process is there and not yet to be reaped.</summary>
    internal static bool IsAlive(int pid)
    {
        try
        {
            return Stat(pid)[0] is not ("Z" or "X");
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static Task<T> RunAsync<T>(Func<T> action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>One page that waits for its fault to be resolved.</summary>
    private sealed class Armed : IDisposable
    {
        private readonly IUserfaultfdPoller _poller;

        internal Armed(LinuxEngine engine, AccessMode mode)
        {
            Capability needed = mode == AccessMode.User ? engine.Capabilities.Userfaultfd : engine.Capabilities.KernelFaults;
            Assert.SkipUnless(needed.IsAvailable, needed.Reason);
            Space = engine.CreateAddressSpace().OrThrow("clone");
            At = Space.Map(MapRequest.PrivateAnonymous(Page)).OrThrow("mmap");
            UserfaultfdOptions options = UserfaultfdOptions.NonBlocking | UserfaultfdOptions.CloseOnExec
                | (mode == AccessMode.User ? UserfaultfdOptions.UserModeOnly : UserfaultfdOptions.None);
            Context = UserfaultfdHandshake.Open(Space, UserfaultfdFeatures.ThreadId, options: options).OrThrow("userfaultfd");
            Assert.True(Context.Register(new(At, Page), RegisterModes.Missing).IsOk);
            Access = Space.OpenAccess(mode).OrThrow("access");
            _poller = engine.CreatePoller();
            _poller.Add(Context, 1).OrThrow("epoll_ctl");
        }

        internal IAddressSpace Space { get; }

        internal VirtualAddress At { get; }

        internal IUserfaultfd Context { get; }

        internal IMemoryAccess Access { get; }

        internal Task<AccessResult> StartLoadAsync() => RunAsync(() => Access.Load(At, out _));

        internal UserfaultfdMessage ReadFault()
        {
            var messages = new UserfaultfdMessage[1];
            SystemResult<int> read;
            do
            {
                Assert.Equal(1, _poller.Wait(new long[1], Deadline.NormalMs).OrThrow("epoll_wait"));
                read = Context.Read(messages);
            }
            while (read.Errno == Errno.EAGAIN);
            Assert.Equal(1, read.OrThrow("read"));
            return messages[0];
        }

        public void Dispose()
        {
            Access.Dispose();
            _poller.Dispose();
            Context.Dispose();
            Space.Dispose();
        }
    }
}
