using System;
using System.Globalization;
using System.IO;
using System.Linq;
using Faultline.Conformance;
using Faultline.Linux.Abi;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Faultline.Linux.Tests;

/// <summary>Rows of docs/regressions.md, and rules beside them, that need means only the kernel has: other ways into memory, pins, privileges.</summary>
[Section("13")]
public sealed class KernelOnlyTests(LinuxEngineHost host) : ConformanceSuite(host)
{
    private const int SysSetresuid = 117;
    private const int SysMseal = 462;

    private SystemCaller Caller => ((LinuxAddressSpace)Bed.Space).Caller;

    // A forced write copies the page first: the file behind a private mapping that may not be written stays as it is.
    [Fact]
    [Regression(20)]
    public void ForcedWrite_ToAReadOnlyPrivateContinuedPage_LeavesTheFile()
    {
        MappedArea area = Bed.Map(MemoryKind.ShmemPrivate, pages: 1, Protections.Read);
        Bed.FillCache(area);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Minor);
        Expect.Filled(monitor.Uffd.Continue(area.Range), PageSize.Small);
        using SafeFileHandle memory = OpenMemory();
        RandomAccess.Write(memory, BitConverter.GetBytes(77UL), (long)area.Range.Start.Value);
        Assert.Equal(77UL, Bed.Load(area.At(0)));
        byte[] inFile = new byte[8];
        Assert.Equal(8, Expect.Ok(area.Backing.Read(0, inFile)));
        Assert.Equal(Pattern.Word(0, 0), BitConverter.ToUInt64(inFile));
    }

    // Whoever cannot wait gets an error at once, and nobody is asked.
    [Fact]
    [Section("3.3")]
    public void ProcMem_MissingOrProtectedPage_EIOWithoutMessage()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        Bed.Store(area.At(1), 5);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing | RegisterModes.WriteProtect);
        Expect.Ok(monitor.Uffd.WriteProtect(area.Page(1), WriteProtectModes.Protect));
        using SafeFileHandle memory = OpenMemory();
        byte[] word = new byte[8];
        Assert.Throws<IOException>(() => RandomAccess.Read(memory, word, (long)area.At(0).Value));
        Assert.Throws<IOException>(() => RandomAccess.Write(memory, word, (long)area.At(1).Value));
        Assert.Equal(8, RandomAccess.Read(memory, word, (long)area.At(1).Value));
        Assert.Equal(5UL, BitConverter.ToUInt64(word));
        monitor.ExpectNothingQueued();
    }

    // A page that a device may write to cannot move, and is where it was.
    [Fact]
    [Regression(33)]
    [Section("4.9")]
    public void Move_PinnedSource_EBUSYAndTheSourceIsIntact()
    {
        Bed.NeedKernelFaults();
        IAddressSpace home = Engine.Home;
        AddressRange source = new(Expect.Ok(home.Map(MapRequest.PrivateAnonymous(PageSize.Small))), PageSize.Small);
        AddressRange target = new(Expect.Ok(home.Map(MapRequest.PrivateAnonymous(PageSize.Small))), PageSize.Small);
        using IMemoryAccess access = Expect.Ok(home.OpenAccess(AccessMode.Kernel));
        try
        {
            Assert.True(access.Store(source.Start, 99).IsOk);
            using IUserfaultfd uffd = Expect.Ok(UserfaultfdHandshake.Open(home, UserfaultfdFeatures.None));
            Assert.Equal(Errno.None, uffd.Register(target, RegisterModes.Missing).Errno);
            using (PinnedPage.Take(home, source.Start))
            {
                Expect.Fails(uffd.Move(target.Start, source.Start, PageSize.Small), Errno.EBUSY);
                Assert.True(access.Load(source.Start, out ulong value).IsOk);
                Assert.Equal(99UL, value);
            }

            // Unpinned when the kernel has torn the ring down, which takes a moment.
            Testbed.Until("the page can move", () => uffd.Move(target.Start, source.Start, PageSize.Small).IsOk);
            Assert.True(access.Load(target.Start, out ulong moved).IsOk);
            Assert.Equal(99UL, moved);
        }
        finally
        {
            home.Unmap(source);
            home.Unmap(target);
        }
    }

    // A pinned page is copied for the child at once, with the bit only if the child is registered too.
    [Theory]
    [Section("12.1")]
    [InlineData(false)]
    [InlineData(true)]
    public void Fork_PinnedProtectedPage_ChildHasTheBitOnlyWithTheEvent(bool withEvent)
    {
        Bed.NeedKernelFaults();
        IAddressSpace home = Engine.Home;
        AddressRange page = new(Expect.Ok(home.Map(MapRequest.PrivateAnonymous(PageSize.Small))), PageSize.Small);
        using IMemoryAccess access = Expect.Ok(home.OpenAccess(AccessMode.Kernel));
        try
        {
            Assert.True(access.Store(page.Start, 99).IsOk);
            using var pin = PinnedPage.Take(home, page.Start);
            using IUserfaultfd uffd = Expect.Ok(UserfaultfdHandshake.Open(home, withEvent ? UserfaultfdFeatures.EventFork : UserfaultfdFeatures.None));
            Assert.Equal(Errno.None, uffd.Register(page, RegisterModes.WriteProtect).Errno);
            Expect.Ok(uffd.WriteProtect(page, WriteProtectModes.Protect));
            PendingWork<SystemResult<IAddressSpace>> fork = Testbed.StartCall("fork", home.Fork);
            var message = new UserfaultfdMessage[1];
            Testbed.Until("the fork is over or its event is there", () => fork.IsDone || uffd.Read(message).IsOk);
            using IAddressSpace child = Expect.Ok(fork.Await());
            using IUserfaultfd? forked = message[0].Forked;
            Assert.Equal(withEvent, forked is not null);
            PagemapEntry inChild = Testbed.PagemapOf(child, page.Start);
            PagemapEntry inParent = Testbed.PagemapOf(home, page.Start);
            Assert.Equal((true, withEvent), (inChild.IsPresent, inChild.IsUserfaultfdWriteProtected));
            Assert.True(inParent is { IsPresent: true, IsUserfaultfdWriteProtected: true });
            Assert.NotEqual(inParent.FrameOrSwap, inChild.FrameOrSwap);
        }
        finally
        {
            home.Unmap(page);
        }
    }

    // Two mappings, each allowed alone, merge into one that no copy may be promised for: the fork fails after contexts were duplicated.
    [Fact]
    [Regression(35)]
    [Section("9.5")]
    public void Fork_Failing_NoEventAndFillsWork()
    {
        Assert.SkipUnless(File.ReadAllText("/proc/sys/vm/overcommit_memory").Trim() == "0", "The kernel does not refuse by its own guess (vm.overcommit_memory).");
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing, UserfaultfdFeatures.EventFork);
        ulong half = TotalMemory() / 4 * 3 & ~(PageSize.Huge - 1);
        VirtualAddress place = new(0x3000_0000_0000);
        Bed.MapAt(place, MapRequest.PrivateAnonymous(half));
        Bed.MapAt(place + half, MapRequest.PrivateAnonymous(half));
        Assert.Equal(2 * half, Bed.Vma(new AddressRange(place, 2 * half)).Range.Length);
        PendingWork<SystemResult<IAddressSpace>> fork = Testbed.StartCall("fork", Bed.Space.Fork);
        Expect.Fails(fork.Await(), Errno.ENOMEM);
        monitor.ExpectNothingQueued();
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(0)), PageSize.Small);
    }

    [Theory]
    [Regression(47)]
    [Section("2.2")]
    [InlineData(RegisterModes.Missing, UserfaultfdFeatures.None)]
    [InlineData(RegisterModes.WriteProtect, UserfaultfdFeatures.WriteProtectAsync)]
    public void Register_Vdso_EINVAL(RegisterModes modes, UserfaultfdFeatures features)
    {
        string? line = File.ReadLines("/proc/self/maps").FirstOrDefault(line => line.EndsWith("[vdso]", StringComparison.Ordinal));
        Assert.SkipWhen(line is null, "This process has no vdso.");
        ulong[] bounds = [.. line!.Split(' ')[0].Split('-').Select(bound => Convert.ToUInt64(bound, 16))];
        using IUserfaultfd uffd = Expect.Ok(UserfaultfdHandshake.Open(Engine.Home, features));
        Expect.Fails(uffd.Register(AddressRange.Between(new VirtualAddress(bounds[0]), new VirtualAddress(bounds[1])), modes), Errno.EINVAL);
    }

    // Sealed mappings can be registered, unregistered, and split by it.
    [Fact]
    [Section("2.2")]
    public void Register_SealedMapping_Succeeds()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        long answer = Caller.Invoke(SysMseal, (nint)area.Range.Start.Value, (nint)area.Range.Length);
        Assert.SkipWhen(answer == -(long)Errno.ENOSYS, "The kernel has no mseal(2).");
        Assert.Equal(0, answer);
        Expect.Fails(Bed.Space.Unmap(area.Range), Errno.EPERM);
        FaultMonitor monitor = Bed.Watch(area with { Range = area.Page(1) }, RegisterModes.Missing | RegisterModes.WriteProtect);
        Assert.Equal(3, Bed.Vmas(area.Range).Count);
        Expect.Filled(monitor.Uffd.Zeropage(area.Page(1)), PageSize.Small);
        Expect.Ok(monitor.Uffd.Unregister(area.Range));
    }

    // Without privileges only user-mode faults may be asked for, by the system call.
    [Fact]
    [Section("1.1")]
    public void Open_WithoutPrivileges_EPERMUnlessUserModeOnly()
    {
        Assert.SkipUnless(File.ReadAllText("/proc/sys/vm/unprivileged_userfaultfd").Trim() == "0", "vm.unprivileged_userfaultfd lets everybody open one.");
        const nint Nobody = 65534;
        Assert.SkipUnless(SystemCallNumbers.IsX64, "The number of setresuid(2) is that of x86-64.");
        long answer = Caller.Invoke(SysSetresuid, Nobody, Nobody, Nobody);
        Assert.SkipWhen(answer != 0, $"setresuid(2) answers {(Errno)(-answer)}.");
        Expect.Fails(Bed.Space.OpenUserfaultfd(UserfaultfdOptions.NonBlocking), Errno.EPERM);
        IUserfaultfd uffd = Bed.Own(Expect.Ok(Bed.Space.OpenUserfaultfd(UserfaultfdOptions.NonBlocking | UserfaultfdOptions.UserModeOnly)));

        // The fork event needs a privilege of its own, also for user-mode faults; a refused handshake may be tried again.
        Assert.Equal(-(long)Errno.EPERM, HandshakeInTheChild(uffd, UserfaultfdFeatures.EventFork));
        Assert.Equal(0, HandshakeInTheChild(uffd, UserfaultfdFeatures.EventRemove));
    }

    // Files on disk can be watched in one way only: asynchronous write-protection.
    [Fact]
    [Section("2.2")]
    [Section("8.5")]
    public void Register_FileOnDisk_OnlyForAsynchronousWriteProtection()
    {
        string path = Path.GetTempFileName();
        try
        {
            using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, FileOptions.DeleteOnClose);
            RandomAccess.Write(file, Pattern.Bytes(2 * PageSize.Small, 1), 0);
            AddressRange range = MapShared(file, 2 * PageSize.Small);
            FaultMonitor plain = Bed.Open();
            RegisterResult missing = plain.Uffd.Register(range, RegisterModes.Missing);
            Assert.SkipWhen(missing.IsOk, "The temporary folder is in memory (tmpfs): set TMPDIR to one on a disk.");
            Assert.Equal(Errno.EINVAL, missing.Errno);
            Expect.Fails(plain.Uffd.Register(range, RegisterModes.WriteProtect), Errno.EINVAL);
            FaultMonitor monitor = Bed.Open(UserfaultfdFeatures.WriteProtectAsync);
            Expect.Fails(monitor.Uffd.Register(range, RegisterModes.Missing | RegisterModes.WriteProtect), Errno.EINVAL);
            monitor.Register(range, RegisterModes.WriteProtect);
            Assert.Equal(Pattern.Word(1, 0), Bed.Load(range.Start));
            Expect.Ok(monitor.Uffd.WriteProtect(range, WriteProtectModes.Protect));
            Bed.Store(range.Start, 5);
            Assert.False(Bed.Pagemap(range.Start).IsUserfaultfdWriteProtected);
            Assert.True(Bed.Pagemap(range.Start + PageSize.Small).IsUserfaultfdWriteProtected);
            Expect.Fails(monitor.Uffd.Zeropage(range), Errno.EINVAL);
            Expect.Fails(monitor.Uffd.Poison(range), Errno.EINVAL);
            monitor.ExpectNothingQueued();
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Maps a file that the contract does not know, by the child's own call; both sides share their descriptors.</summary>
    private AddressRange MapShared(SafeFileHandle file, ulong length)
    {
        const int ReadWrite = 3;
        long mapped = Caller.Invoke(SystemCallNumbers.Mmap, 0, (nint)length, ReadWrite, (nint)MapOptions.Shared, file.DangerousGetHandle(), 0);
        Assert.True(mapped > 0, $"mmap answered {mapped}.");
        return new AddressRange(new VirtualAddress((ulong)mapped), length);
    }

    private long HandshakeInTheChild(IUserfaultfd uffd, UserfaultfdFeatures features)
    {
        byte[] argument = [.. BitConverter.GetBytes(UserfaultfdApi.Version), .. BitConverter.GetBytes((ulong)features), .. new byte[sizeof(ulong)]];
        return Caller.InvokeIoctl((int)((LinuxUserfaultfd)uffd).Descriptor.DangerousGetHandle(), userfaultfd_h.UFFDIO_API, argument);
    }

    private static ulong TotalMemory() => 1024 * File.ReadLines("/proc/meminfo")
        .Where(line => line.StartsWith("MemTotal:", StringComparison.Ordinal) || line.StartsWith("SwapTotal:", StringComparison.Ordinal))
        .Aggregate(0UL, (sum, line) => sum + ulong.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture));

    private SafeFileHandle OpenMemory() => File.OpenHandle($"/proc/{Caller.ProcessId}/mem", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
}
