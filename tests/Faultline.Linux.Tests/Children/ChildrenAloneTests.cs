using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>What touches the children of the whole process, so no other test may run meanwhile.</summary>
[Collection(AloneCollection.Name)]
public sealed class ChildrenAloneTests : IDisposable
{
    private const ulong Page = PageSize.Small;

    private readonly LinuxEngine _engine = new();

    public ChildrenAloneTests() =>
        Assert.SkipUnless(_engine.Capabilities.ManyAddressSpaces.IsAvailable, _engine.Capabilities.ManyAddressSpaces.Reason);

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void ZygoteKilled_NextAddressSpace_HasAnother()
    {
        using IAddressSpace first = _engine.CreateAddressSpace().OrThrow("clone");
        using IMemoryAccess access = first.OpenAccess().OrThrow("access");
        int zygote = int.Parse(ChildrenLifeTests.Stat(ChildrenLifeTests.ProcessOf(access))[2], CultureInfo.InvariantCulture);
        Assert.NotEqual(ChildrenLifeTests.ProcessOf(access), zygote);
        Process.GetProcessById(zygote).Kill();
        using IAddressSpace second = AfterDeathOf(zygote, _engine.CreateAddressSpace);
        using IMemoryAccess other = second.OpenAccess().OrThrow("access");
        Assert.Equal(AccessFault.NotMapped, other.Load(new(8), out _).Fault);
        Assert.Equal(AccessFault.NotMapped, access.Load(new(8), out _).Fault);
    }

    [Fact]
    public void CreateForkDispose_TwoHundred_LeavesNothing()
    {
        // The first one makes what stays: the zygote and the arena.
        _engine.CreateAddressSpace().OrThrow("clone").Dispose();
        int descriptors = Directory.GetFiles("/proc/self/fd").Length;
        int children = ChildrenOfThisProcess();
        Assert.Equal(1, children);
        for (int round = 0; round < 10; round++)
        {
            var spaces = new IAddressSpace[20];
            for (int i = 0; i < spaces.Length; i++)
            {
                IAddressSpace made = _engine.CreateAddressSpace().OrThrow("clone");
                VirtualAddress at = made.Map(MapRequest.PrivateAnonymous(Page)).OrThrow("mmap");
                spaces[i] = made.Fork().OrThrow("fork");
                made.Dispose();
                using IMemoryAccess access = spaces[i].OpenAccess().OrThrow("access");
                Assert.True(access.Store(at, 1).IsOk);
            }

            ExpectChildren(children + spaces.Length);
            foreach (IAddressSpace space in spaces)
            {
                space.Dispose();
            }
        }

        ExpectChildren(children);
        Assert.InRange(Directory.GetFiles("/proc/self/fd").Length, 0, descriptors + 5);

        // The zygote goes with the last engine that needed it, and a fixture may hold one.
        _engine.Dispose();
        Assert.InRange(ChildrenOfThisProcess(), 0, 1);
    }

    [Fact]
    public void CreateAddressSpace_TwoHundredAtOnce_AllWork()
    {
        var spaces = new IAddressSpace[200];
        for (int i = 0; i < spaces.Length; i++)
        {
            spaces[i] = _engine.CreateAddressSpace().OrThrow("clone");
        }

        for (int i = 0; i < spaces.Length; i++)
        {
            VirtualAddress at = spaces[i].Map(MapRequest.PrivateAnonymous(Page)).OrThrow("mmap");
            using IMemoryAccess access = spaces[i].OpenAccess().OrThrow("access");
            Assert.True(access.Store(at, (ulong)i).IsOk);
            Assert.True(access.Load(at, out ulong value).IsOk);
            Assert.Equal((ulong)i, value);
        }

        // Disposing the engine ends them all.
        _engine.Dispose();
        Assert.All(spaces, space => Assert.Equal(Errno.ESRCH, space.Map(MapRequest.PrivateAnonymous(Page)).Errno));
        Assert.InRange(ChildrenOfThisProcess(), 0, 1);
    }

    [Fact(Timeout = 200_000)]
    public async Task ForkOfHome_WithForkEvents_SendsExactlyOne()
    {
        VirtualAddress at = _engine.Home.Map(MapRequest.PrivateAnonymous(Page)).OrThrow("mmap");
        SystemResult<IUserfaultfd> opened = UserfaultfdHandshake.Open(_engine.Home, UserfaultfdFeatures.EventFork);
        Assert.SkipWhen(opened.Errno == Errno.EPERM, "FORK events need CAP_SYS_PTRACE.");
        using IUserfaultfd context = opened.OrThrow("userfaultfd");
        Assert.True(context.Register(new(at, Page), RegisterModes.Missing).IsOk);

        // An empty address space is no copy of this one: no event.
        using IAddressSpace empty = _engine.CreateAddressSpace().OrThrow("clone");
        Task<SystemResult<IAddressSpace>> forking = ChildrenForkTests.StartAsync(_engine.Home.Fork);
        using IUserfaultfdPoller poller = _engine.CreatePoller();
        poller.Add(context, 1).OrThrow("epoll_ctl");
        Assert.Equal(1, poller.Wait(new long[1], Deadline.NormalMs).OrThrow("epoll_wait"));
        var messages = new UserfaultfdMessage[4];
        Assert.Equal(1, context.Read(messages).OrThrow("read"));
        using IUserfaultfd forked = messages[0].Forked!;
        using IAddressSpace child = (await forking).OrThrow("fork");
        Assert.Equal(Errno.EAGAIN, context.Read(messages).Errno);
        Assert.True(forked.Copy(at, new byte[Page]).IsOk);
        _engine.Home.Unmap(new(at, Page)).OrThrow("munmap");
    }

    [Fact(Timeout = 200_000)]
    public async Task EngineDispose_WhileForkOfHomeWaits_EndsTheFork()
    {
        using LinuxEngine engine = new();
        VirtualAddress at = engine.Home.Map(MapRequest.PrivateAnonymous(Page)).OrThrow("mmap");
        SystemResult<IUserfaultfd> opened = UserfaultfdHandshake.Open(engine.Home, UserfaultfdFeatures.EventFork);
        Assert.SkipWhen(opened.Errno == Errno.EPERM, "FORK events need CAP_SYS_PTRACE.");
        using IUserfaultfd context = opened.OrThrow("userfaultfd");
        Assert.True(context.Register(new(at, Page), RegisterModes.Missing).IsOk);
        Task<SystemResult<IAddressSpace>> forking = ChildrenForkTests.StartAsync(engine.Home.Fork);
        using IUserfaultfdPoller poller = engine.CreatePoller();
        poller.Add(context, 1).OrThrow("epoll_ctl");
        Assert.Equal(1, poller.Wait(new long[1], Deadline.NormalMs).OrThrow("epoll_wait"));
        engine.Dispose();
        Assert.False((await forking).IsOk);
        _engine.Home.Unmap(new(at, Page)).OrThrow("munmap");
    }

    // Counted thread by thread: those of a thread that ends meanwhile go to another, and are then missed, or counted twice, in that one look.
    private static void ExpectChildren(int count) => Testbed.Until($"there are {count} children", () => ChildrenOfThisProcess() == count);

    private static IAddressSpace AfterDeathOf(int pid, Func<SystemResult<IAddressSpace>> make)
    {
        // The zygote is noticed to be gone when it is asked for a copy; a kill takes a moment.
        long deadline = Environment.TickCount64 + Deadline.NormalMs;
        SystemResult<IAddressSpace> made = make();
        while (ChildrenLifeTests.IsAlive(pid) || !made.IsOk)
        {
            Assert.True(Environment.TickCount64 < deadline, "The zygote does not die.");
            if (made.IsOk)
            {
                made.Value.Dispose();
            }

            made = make();
        }

        return made.OrThrow("clone");
    }

    // Those that are ours have this name; a test host may have other children.
    private static int ChildrenOfThisProcess() => AllChildren().Count(pid =>
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").Trim() == "faultline-space";
        }
        catch (IOException)
        {
            return false;
        }
    });

    private static int[] AllChildren() =>
    [
        .. Directory.GetDirectories("/proc/self/task").SelectMany(task =>
        {
            try
            {
                return File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            }
            catch (IOException)
            {
                return [];
            }
        }).Select(one => int.Parse(one, CultureInfo.InvariantCulture)),
    ];
}
