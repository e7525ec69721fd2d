using System;
using System.Collections.Generic;
using Faultline.Mm;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Races;

/// <summary>
/// The world of one schedule: a small managed engine, one address space, and the threads that meet in it. Everything made through it is given back,
/// also after a schedule that was cut short.
/// </summary>
internal sealed class RaceBed
{
    /// <summary>The first word of a page that <see cref="Content"/> makes; zero is what nobody wrote.</summary>
    public const ulong Old = 0x0101010101010101;

    public const ulong New = 0x0202020202020202;

    public const ulong SmallMemoryBytes = 2UL << 20;

    /// <summary>Room for two huge pages beside small ones.</summary>
    public const ulong HugeMemoryBytes = 8UL << 20;

    public const int SmallInHuge = (int)(PageSize.Huge / PageSize.Small);

    /// <summary>Where huge pages are mapped: areas lie apart, so that no two are one.</summary>
    private const ulong HugePlace = 0x50_0000_0000;

    private const uint SwapPages = 64;

    private readonly List<string> _names = [];
    private readonly List<Action> _bodies = [];
    private readonly List<Action> _checks = [];
    private readonly List<IDisposable> _handles = [];
    private readonly long _framesBefore;
    private bool _checksWhenQuiet = true;
    private bool _isOver;

    public RaceBed(FillSteps? steps = null, ulong memoryBytes = SmallMemoryBytes, int hugePages = 0)
    {
        Engine = new ManagedEngine(new ManagedEngineOptions
        {
            MemoryBytes = memoryBytes,
            HugePages = hugePages,
            Swap = new MemorySwapDevice(SwapPages),
        });
        Engine.System.Steps = steps;
        _framesBefore = Engine.FramesInUse;
        Space = NewSpace();
    }

    public static ulong PageBytes => PageSize.Small;

    public ManagedEngine Engine { get; }

    /// <summary>The address space that everything is mapped in unless said otherwise.</summary>
    public IAddressSpace Space { get; }

    /// <summary>A page full of one word.</summary>
    public static byte[] Content(ulong word, int pages = 1)
    {
        byte[] bytes = new byte[pages * (int)PageBytes];
        for (int at = 0; at < bytes.Length; at += sizeof(ulong))
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(at), word);
        }

        return bytes;
    }

    public static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new RaceException(what);
        }
    }

    /// <summary>Requires one of the answers that are right.</summary>
    public static Errno Expect(string call, Errno errno, params ReadOnlySpan<Errno> allowed)
    {
        Require(errno == Errno.None || allowed.Contains(errno), $"{call} answered {errno}.");
        return errno;
    }

    public static AddressRange PageOf(AddressRange area, int page, int count = 1) =>
        new(area.Start + ((ulong)page * PageBytes), (ulong)count * PageBytes);

    public IAddressSpace NewSpace() => Own(Engine.CreateAddressSpace().OrThrow("creating an address space"));

    /// <summary>Has something given back at the end, before the check that all memory came back.</summary>
    public T Own<T>(T handle)
        where T : IDisposable
    {
        _handles.Add(handle);
        return handle;
    }

    /// <summary>Adds a thread.</summary>
    public void Thread(string name, Action body)
    {
        _names.Add(name);
        _bodies.Add(body);
    }

    /// <summary>Adds a check for when all threads have ended.</summary>
    public void AtEnd(Action check) => _checks.Add(check);

    /// <summary>A file, with <see cref="Old"/> in its first pages.</summary>
    public IMemoryFile File(int pages, int filled = 0)
    {
        MemoryFileOptions options = new() { Name = "race", Size = (ulong)pages * PageBytes };
        IMemoryFile file = Own(Engine.CreateMemoryFile(in options).OrThrow("memfd_create"));
        if (filled > 0)
        {
            file.Write(0, Content(Old, filled)).OrThrow("pwrite");
        }

        return file;
    }

    public IMemoryFile HugeFile(int pages)
    {
        MemoryFileOptions options = new() { Name = "race", Size = (ulong)pages * PageSize.Huge, HugePages = true };
        return Own(Engine.CreateMemoryFile(in options).OrThrow("memfd_create"));
    }

    /// <summary>Maps at an address that a huge page can begin at.</summary>
    public AddressRange MapHugeAligned(MapRequest request, int place) => Map(
        request with { Address = new(HugePlace + ((ulong)place * 16 * PageSize.Huge)), Options = request.Options | MapOptions.FixedNoReplace }, Space);

    /// <summary>Anonymous memory of the size of a huge page, the first two of its small pages written.</summary>
    public AddressRange MapSmallInHuge(IMemoryAccess access)
    {
        AddressRange area = MapHugeAligned(MapRequest.PrivateAnonymous(PageSize.Huge), place: 0);
        Store(access, area, Old);
        Store(access, area, Old, page: 1);
        return area;
    }

    /// <summary>A huge page, the first words of the first three of its small pages written.</summary>
    public AddressRange MapHuge(IMemoryAccess access)
    {
        AddressRange area = MapHugeAligned(MapRequest.PrivateAnonymous(PageSize.Huge), place: 0);
        Space.Advise(area, Advice.HugePage).OrThrow("MADV_HUGEPAGE");
        for (int page = 0; page < 3; page++)
        {
            Store(access, area, Old, page);
        }

        return area;
    }

    public AddressRange MapAnonymous(int pages) => Map(MapRequest.PrivateAnonymous((ulong)pages * PageBytes), Space);

    public AddressRange MapShared(IMemoryFile file, int pages, IAddressSpace? space = null) =>
        Map(MapRequest.SharedFile(file, (ulong)pages * PageBytes), space ?? Space);

    public AddressRange MapPrivate(IMemoryFile file, int pages) => Map(MapRequest.PrivateFile(file, (ulong)pages * PageBytes), Space);

    /// <summary>Opens a userfaultfd with some features and registers an area.</summary>
    public IUserfaultfd Watch(
        AddressRange area, RegisterModes modes, UserfaultfdFeatures features = UserfaultfdFeatures.None, IAddressSpace? space = null)
    {
        IUserfaultfd context = Open(features, space);
        RegisterResult registered = context.Register(area, modes);
        Require(registered.IsOk, $"UFFDIO_REGISTER answered {registered.Errno}.");
        return context;
    }

    public IUserfaultfd Open(UserfaultfdFeatures features = UserfaultfdFeatures.None, IAddressSpace? space = null, bool isBlocking = true)
    {
        UserfaultfdOptions options = isBlocking ? UserfaultfdOptions.None : UserfaultfdOptions.NonBlocking;
        IUserfaultfd context = Own((space ?? Space).OpenUserfaultfd(options).OrThrow("userfaultfd"));
        context.Handshake(features).OrThrow("UFFDIO_API");
        return context;
    }

    public IMemoryAccess Access(IAddressSpace? space = null) => Own((space ?? Space).OpenAccess().OrThrow("an accessor"));

    /// <summary>Reads the first word of a page, and requires that it could be read.</summary>
    public static ulong Load(IMemoryAccess access, AddressRange area, int page = 0)
    {
        AccessResult result = access.Load(PageOf(area, page).Start, out ulong value);
        Require(result.IsOk, $"a load of page {page} ended with {result.Fault}.");
        return value;
    }

    public static void Store(IMemoryAccess access, AddressRange area, ulong value, int page = 0)
    {
        AccessResult result = access.Store(PageOf(area, page).Start, value);
        Require(result.IsOk, $"a store to page {page} ended with {result.Fault}.");
    }

    /// <summary>Requires that an access to the first page of a mapping is one beyond the end of its file.</summary>
    public static void RequireNothingBeyondTheEnd(IMemoryAccess access, AddressRange area)
    {
        AccessFault fault = access.Load(area.Start, out _).Fault;
        Require(fault == AccessFault.BusError, $"a load beyond the end of the file ended with {fault}.");
    }

    /// <summary>Waits for one message; ends with ECANCELED if the context is closed.</summary>
    public static SystemResult<UserfaultfdMessage> ReadOne(IUserfaultfd context)
    {
        var messages = new UserfaultfdMessage[1];
        SystemResult<int> read = context.Read(messages);
        return new(messages[0], read.Errno);
    }

    /// <summary>Has the engine checked only at the end: a fork that waits for its event holds a child that the engine does not list yet.</summary>
    public void CheckAtTheEndOnly() => _checksWhenQuiet = false;

    /// <summary>The program that a scheduler runs.</summary>
    internal ScheduledProgram ToProgram() => new(_bodies, Check)
    {
        ThreadNames = _names,
        QuietCheck = _checksWhenQuiet ? () => RequireNoViolations("when every thread slept or had ended") : null,
        Cleanup = Cleanup,
    };

    private static AddressRange Map(MapRequest request, IAddressSpace space) => new(space.Map(in request).OrThrow("mmap"), request.Length);

    private void Check()
    {
        foreach (Action check in _checks)
        {
            check();
        }

        RequireNoViolations("when all threads had ended");
        for (int i = _handles.Count - 1; i >= 0; i--)
        {
            _handles[i].Dispose();
        }

        _handles.Clear();
        RequireNoViolations("when everything had been closed");
        long left = Engine.FramesInUse - _framesBefore;
        Require(left == 0, $"{left} frames did not come back when everything had been closed.");
        Engine.Dispose();
        _isOver = true;
    }

    private void RequireNoViolations(string when)
    {
        IReadOnlyList<string> violations = Engine.FindViolations();
        Require(violations.Count == 0, $"{when} the engine did not add up: {string.Join("; ", violations)}");
    }

    private void Cleanup()
    {
        if (_isOver)
        {
            return;
        }

        // Cut short with calls inside: nothing can be ended in order. What is outside the collector's reach goes; the rest it takes.
        foreach (IDisposable handle in _handles)
        {
            if (handle is IMemoryAccess access)
            {
                access.Dispose();
            }
        }

        Engine.System.Memory.Dispose();
    }
}
