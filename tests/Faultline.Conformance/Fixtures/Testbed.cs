using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Xunit;

namespace Faultline.Conformance;

/// <summary>An address space of one case, and short words for what every case does with it.</summary>
/// <remarks>
/// Disposing ends the address space first, which ends every thread that still sleeps in it, and then closes contexts and files.
/// Areas are mapped at fixed places far from each other, so that mappings never merge by accident.
/// </remarks>
public sealed class Testbed : IDisposable
{
    /// <summary>Areas begin here, 64 MiB apart: low enough to be free in any process.</summary>
    private const ulong FirstArea = 0x20_0000_0000;
    private const ulong AreaSpacing = 64UL << 20;

    private readonly EngineHost _host;
    private readonly ConcurrentStack<IDisposable> _owned = new();
    private readonly ConcurrentStack<IAddressSpace> _spaces = new();
    private readonly ConcurrentBag<IMemoryAccess> _idle = [];
    private ulong _areas;

    /// <summary>Makes the address space, or skips the case if there can be none.</summary>
    public Testbed(EngineHost host)
    {
        _host = host;
        SystemResult<IAddressSpace> made = host.Engine.CreateAddressSpace();
        if (made.Errno == Errno.EOPNOTSUPP)
        {
            Assert.Skip($"No address space can be made: {host.Engine.Capabilities.ManyAddressSpaces.Reason}");
        }

        Space = Expect.Ok(made);
        _spaces.Push(Space);
    }

    /// <summary>The engine.</summary>
    public IMemoryEngine Engine => _host.Engine;

    /// <summary>The address space.</summary>
    public IAddressSpace Space { get; }

    /// <summary>Looks again and again until a condition holds; fails after the deadline.</summary>
    public static void Until(string what, Func<bool> condition) =>
        Assert.True(TryUntil(condition), $"It was not reached within {Deadline.Normal.TotalSeconds:0} s that {what}.");

    /// <summary>Looks again and again until a condition holds; false after the deadline.</summary>
    public static bool TryUntil(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        using ManualResetEventSlim never = new(initialState: false);
        for (int round = 0; !condition(); round++)
        {
            if (Stopwatch.GetElapsedTime(start) > Deadline.Normal)
            {
                return false;
            }

            if (round > 20)
            {
                never.Wait(TimeSpan.FromMilliseconds(1));
            }
            else
            {
                Thread.Yield();
            }
        }

        return true;
    }

    /// <summary>Skips the case unless the engine can swap.</summary>
    public void NeedSwap() => SkipIf(_host.PrepareSwap());

    /// <summary>Skips the case unless there are huge pages.</summary>
    public void NeedHugePages() => SkipIf(_host.PrepareHugePages());

    /// <summary>The pool of huge pages; skips the case if there is none.</summary>
    public HugePagePool ReadPool()
    {
        NeedHugePages();
        return _host.ReadHugePagePool();
    }

    /// <summary>Gives something up to be disposed with the bed.</summary>
    public T Own<T>(T item)
        where T : IDisposable
    {
        _owned.Push(item);
        return item;
    }

    /// <summary>Gives a further address space up to be ended with the bed.</summary>
    public IAddressSpace OwnSpace(IAddressSpace space)
    {
        _spaces.Push(space);
        return space;
    }

    /// <summary>A place for an area, far from every other.</summary>
    public VirtualAddress NextPlace() => new(FirstArea + ((Interlocked.Increment(ref _areas) - 1) * AreaSpacing));

    /// <summary>Makes a file of pages of a kind, all of it a hole.</summary>
    public IMemoryFile File(MemoryKind kind, int pages = 4)
    {
        if (kind.IsHugetlb())
        {
            NeedHugePages();
        }

        MemoryFileOptions options = new() { Name = kind.ToString(), Size = (ulong)pages * kind.PageBytes(), HugePages = kind.IsHugetlb() };
        return Own(Expect.Ok(Engine.CreateMemoryFile(options)));
    }

    /// <summary>Maps fresh memory of a kind.</summary>
    public MappedArea Map(MemoryKind kind, int pages = 4, Protections protection = Protections.ReadWrite) =>
        kind == MemoryKind.Anonymous ? MapAnonymous(pages, protection) : MapFile(kind, File(kind, pages), pages, protection);

    /// <summary>Maps private anonymous memory.</summary>
    public MappedArea MapAnonymous(int pages = 4, Protections protection = Protections.ReadWrite)
    {
        ulong length = (ulong)pages * PageSize.Small;
        AddressRange range = MapAt(NextPlace(), MapRequest.PrivateAnonymous(length) with { Protection = protection });
        return new(MemoryKind.Anonymous, range, File: null);
    }

    /// <summary>Maps pages of a file, shared or private as the kind says.</summary>
    public MappedArea MapFile(MemoryKind kind, IMemoryFile file, int pages, Protections protection = Protections.ReadWrite, ulong offset = 0)
    {
        MapRequest request = new()
        {
            Length = (ulong)pages * kind.PageBytes(),
            Protection = protection,
            Options = kind.IsShared() ? MapOptions.Shared : MapOptions.Private,
            File = file,
            Offset = offset,
        };
        return new(kind, MapAt(NextPlace(), request), file, offset);
    }

    /// <summary>Maps the file of an area a second time, shared: the unregistered way to its pages.</summary>
    public MappedArea Alias(MappedArea area) =>
        MapFile(area.Kind.IsHugetlb() ? MemoryKind.HugetlbShared : MemoryKind.ShmemShared, area.Backing, area.PageTotal, offset: area.FileStart);

    /// <summary>Maps a file and then cuts it, so that the last pages of the area lie beyond its end. (A hugetlb file grows when it is mapped.)</summary>
    public MappedArea MapBeyondTheEnd(MemoryKind kind, int filePages, int pages)
    {
        MappedArea area = Map(kind, pages);
        Expect.Ok(area.Backing.Truncate((ulong)filePages * kind.PageBytes()));
        return area;
    }

    /// <summary>Maps at an address that must be free.</summary>
    public AddressRange MapAt(VirtualAddress address, MapRequest request)
    {
        VirtualAddress mapped = Expect.Ok(Space.Map(request with { Address = address, Options = request.Options | MapOptions.FixedNoReplace }));
        Assert.Equal(address, mapped);
        return new(mapped, request.Length);
    }

    /// <summary>Opens a context with features enabled, or skips the case if the engine does not offer them.</summary>
    public FaultMonitor Open(
        UserfaultfdFeatures features = UserfaultfdFeatures.None,
        UserfaultfdOptions options = UserfaultfdOptions.NonBlocking | UserfaultfdOptions.CloseOnExec)
    {
        UserfaultfdFeatures lacking = features & ~Engine.Capabilities.Features;
        SkipIf(lacking == UserfaultfdFeatures.None ? null : $"The engine does not offer {lacking}.");
        if ((features & UserfaultfdFeatures.EventFork) != 0)
        {
            NeedForkEvents();
        }

        IUserfaultfd uffd = OpenContext(options);
        Expect.Ok(uffd.Handshake(features));
        return Own(new FaultMonitor(Engine, uffd));
    }

    /// <summary>
    /// Opens a context that is still without its handshake. Where the right to report kernel-mode faults is missing, one for user-mode faults only:
    /// nearly every case can do with that. Skips the case if there can be none.
    /// </summary>
    public IUserfaultfd OpenContext(UserfaultfdOptions options, IAddressSpace? space = null)
    {
        EngineCapabilities can = Engine.Capabilities;
        SkipIf(can.Userfaultfd.IsAvailable ? null : $"No userfaultfd can be opened: {can.Userfaultfd.Reason}");
        return Own(Expect.Ok((space ?? Space).OpenUserfaultfd(can.KernelFaults.IsAvailable ? options : options | UserfaultfdOptions.UserModeOnly)));
    }

    /// <summary>Skips the case unless fork events may be asked for.</summary>
    public void NeedForkEvents()
    {
        using IUserfaultfd trial = OpenContext(UserfaultfdOptions.CloseOnExec);
        SkipIf(trial.Handshake(UserfaultfdFeatures.EventFork).Errno == Errno.EPERM ? "Fork events need CAP_SYS_PTRACE: run as root." : null);
    }

    /// <summary>Skips the case unless a context may report kernel-mode faults.</summary>
    public void NeedKernelFaults() => SkipIf(Engine.Capabilities.KernelFaults.IsAvailable ? null : Engine.Capabilities.KernelFaults.Reason);

    /// <summary>Opens a context and registers an area with it.</summary>
    public FaultMonitor Watch(MappedArea area, RegisterModes modes, UserfaultfdFeatures features = UserfaultfdFeatures.None)
    {
        FaultMonitor monitor = Open(features);
        monitor.Register(area.Range, modes);
        return monitor;
    }

    /// <summary>Puts a pattern into a page of the cache without any mapping under test.</summary>
    public void FillCache(MappedArea area, int page, ulong seed)
    {
        if (!area.Kind.IsHugetlb())
        {
            Assert.Equal((int)area.PageBytes, Expect.Ok(area.Backing.Write(area.FileOffset(page), Pattern.Bytes(area.PageBytes, seed))));
            return;
        }

        var request = MapRequest.SharedFile(area.Backing, area.PageBytes, area.FileOffset(page));
        AddressRange alias = MapAt(NextPlace(), request);
        WriteBytes(alias.Start, Pattern.Bytes(area.PageBytes, seed));
        Expect.Ok(Space.Unmap(alias));
    }

    /// <summary>Fills the cache behind all pages of an area; page n gets seed n.</summary>
    public void FillCache(MappedArea area)
    {
        for (int page = 0; page < area.PageTotal; page++)
        {
            FillCache(area, page, (ulong)page);
        }
    }

    /// <summary>Starts a load of eight bytes on a thread of the address space.</summary>
    public PendingAccess StartLoad(VirtualAddress address) => PendingAccess.Load(TakeAccessor(), address);

    /// <summary>Starts a store of eight bytes on a thread of the address space.</summary>
    public PendingAccess StartStore(VirtualAddress address, ulong value = 1) => PendingAccess.Store(TakeAccessor(), address, value);

    /// <summary>Starts a load or a store.</summary>
    public PendingAccess Start(bool write, VirtualAddress address) => write ? StartStore(address) : StartLoad(address);

    /// <summary>Starts a call that may block.</summary>
    public static PendingWork<T> StartCall<T>(string what, Func<T> call) => new(what, call);

    /// <summary>Starts moving a range to a given place, which blocks while its events are unread.</summary>
    public PendingWork<SystemResult<VirtualAddress>> StartMove(
        AddressRange range,
        VirtualAddress target,
        ulong newLength,
        RemapOptions more = RemapOptions.None) =>
        StartCall("mremap", () => Space.Remap(range, newLength, RemapOptions.MayMove | RemapOptions.Fixed | more, target));

    /// <summary>Starts moving a range to a given place, which blocks while its events are unread.</summary>
    public PendingWork<SystemResult<VirtualAddress>> StartMove(AddressRange range, VirtualAddress target) => StartMove(range, target, range.Length);

    /// <summary>Loads eight bytes, which must succeed.</summary>
    public ulong Load(VirtualAddress address) => Finish(StartLoad(address)).AwaitValue();

    /// <summary>Stores eight bytes, which must succeed.</summary>
    public void Store(VirtualAddress address, ulong value = 1) => Finish(StartStore(address, value)).AwaitValue();

    /// <summary>Makes a load that must fail.</summary>
    public AccessResult LoadFails(VirtualAddress address, AccessFault fault) => Finish(StartLoad(address)).AwaitFault(fault);

    /// <summary>Makes a store that must fail.</summary>
    public AccessResult StoreFails(VirtualAddress address, AccessFault fault) => Finish(StartStore(address)).AwaitFault(fault);

    /// <summary>Loads from a page poisoned by UFFDIO_POISON: SIGBUS, of the hardware kind where the kernel knows of hardware poison (4.6).</summary>
    public void LoadPoisoned(VirtualAddress address) => AssertPoisoned(StartLoad(address).Await());

    /// <summary>Asserts that an access ended on a page poisoned by UFFDIO_POISON.</summary>
    public static void AssertPoisoned(AccessResult result) =>
        Assert.True(result.Fault is AccessFault.BusError or AccessFault.HardwarePoison, $"Expected a poisoned page, but the access answered {result}.");

    /// <summary>Stores to an address and tells how many page faults that took.</summary>
    public FaultCounts CountStoreFaults(VirtualAddress address) => CountFaults(accessor => PendingAccess.Store(accessor, address, 1));

    /// <summary>Loads from an address and tells how many page faults that took.</summary>
    public FaultCounts CountLoadFaults(VirtualAddress address) => CountFaults(accessor => PendingAccess.Load(accessor, address));

    /// <summary>Reads bytes, which must succeed.</summary>
    public byte[] ReadBytes(VirtualAddress address, ulong length)
    {
        byte[] bytes = new byte[length];
        IMemoryAccess accessor = TakeAccessor();
        PendingWork<AccessResult> work = new($"read of {address}", () => accessor.Read(address, bytes));
        Assert.Equal(AccessFault.None, work.Await().Fault);
        _idle.Add(accessor);
        return bytes;
    }

    /// <summary>Writes bytes, which must succeed.</summary>
    public void WriteBytes(VirtualAddress address, byte[] bytes)
    {
        IMemoryAccess accessor = TakeAccessor();
        PendingWork<AccessResult> work = new($"write of {address}", () => accessor.Write(address, bytes));
        Assert.Equal(AccessFault.None, work.Await().Fault);
        _idle.Add(accessor);
    }

    /// <summary>Asserts that a page holds the pattern of a seed.</summary>
    public void AssertPattern(MappedArea area, int page, ulong seed) =>
        Assert.Equal(Pattern.Bytes(area.PageBytes, seed), ReadBytes(area.At(page), area.PageBytes));

    /// <summary>Asserts that a page is all zero.</summary>
    public void AssertZero(MappedArea area, int page) => Assert.Equal(new byte[area.PageBytes], ReadBytes(area.At(page), area.PageBytes));

    /// <summary>The pagemap entry of the 4 KiB page at an address.</summary>
    public PagemapEntry Pagemap(VirtualAddress address) => PagemapOf(Space, address);

    /// <summary>The pagemap entry of the first 4 KiB of a page.</summary>
    public PagemapEntry Pagemap(MappedArea area, int page) => Pagemap(area.At(page));

    /// <summary>Whether the pagemap shows the first 4 KiB of a page as write-protected.</summary>
    public bool IsProtected(MappedArea area, int page) => Pagemap(area, page).IsUserfaultfdWriteProtected;

    /// <summary>The pagemap entry of an address in a given address space.</summary>
    public static PagemapEntry PagemapOf(IAddressSpace space, VirtualAddress address)
    {
        Span<PagemapEntry> entry = stackalloc PagemapEntry[1];
        Assert.Equal(1, Expect.Ok(space.Inspector.ReadPagemap(address, entry)));
        return entry[0];
    }

    /// <summary>The mappings in a range.</summary>
    public IReadOnlyList<VmaInfo> Vmas(AddressRange range) => Expect.Ok(Space.Inspector.GetMappings(range));

    /// <summary>The only mapping in a range.</summary>
    public VmaInfo Vma(AddressRange range) => Assert.Single(Vmas(range));

    /// <summary>The blocks of an area's file, in units of 512 bytes.</summary>
    public static ulong Blocks(MappedArea area) => Expect.Ok(area.Backing.GetStatus()).Blocks;

    /// <summary>Swaps pages out, or skips the case if that cannot be done.</summary>
    public void SwapOut(AddressRange range)
    {
        NeedSwap();
        Until($"{range} is swapped out", () =>
        {
            Expect.Ok(Space.Advise(range, Advice.PageOut));
            for (ulong offset = 0; offset < range.Length; offset += PageSize.Small)
            {
                if (Pagemap(range.Start + offset).IsPresent)
                {
                    return false;
                }
            }

            return true;
        });
    }

    /// <summary>Skips the case if there is a reason.</summary>
    public static void SkipIf(string? reason)
    {
        if (reason is not null)
        {
            Assert.Skip(reason);
        }
    }

    /// <summary>An accessor for the use of the case alone.</summary>
    public IMemoryAccess TakeAccessor() =>
        _idle.TryTake(out IMemoryAccess? idle) ? idle : Own(Expect.Ok(Space.OpenAccess()));

    /// <inheritdoc/>
    public void Dispose()
    {
        List<Exception> errors = [];
        while (_spaces.TryPop(out IAddressSpace? space))
        {
            Collect(errors, space);
        }

        while (_owned.TryPop(out IDisposable? item))
        {
            Collect(errors, item);
        }

        if (errors.Count != 0)
        {
            throw new AggregateException("Cleaning up failed.", errors);
        }
    }

    private static void Collect(List<Exception> errors, IDisposable item)
    {
        try
        {
            item.Dispose();
        }
#pragma warning disable CA1031 // Everything is to be disposed, whatever some of it throws.
        catch (Exception error)
#pragma warning restore CA1031
        {
            errors.Add(error);
        }
    }

    private FaultCounts CountFaults(Func<IMemoryAccess, PendingAccess> start)
    {
        IMemoryAccess accessor = TakeAccessor();
        FaultCounts before = accessor.FaultCounts;
        start(accessor).AwaitValue();
        FaultCounts after = accessor.FaultCounts;
        _idle.Add(accessor);
        return new(after.Minor - before.Minor, after.Major - before.Major);
    }

    private PendingAccess Finish(PendingAccess access)
    {
        if (access.TryAwait())
        {
            _idle.Add(access.Accessor);
        }

        return access;
    }
}
