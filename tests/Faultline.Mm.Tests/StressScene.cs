using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>What the threads of the stress test do, and to what: an address space with four areas, a file, a monitor.</summary>
internal sealed class StressScene : IDisposable
{
    private const ulong Page = PageSize.Small;
    private const int FilePages = 64;
    private const ulong HugeBytes = 2 * PageSize.Huge;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);
    private static readonly VirtualAddress Away = new(9UL << 32);

    private readonly bool _mayFail;
    private readonly Random _seeds;
    private readonly IAddressSpace _space;
    private readonly IMemoryFile _file;
    private readonly IMemoryFile _hugeFile;
    private readonly IUserfaultfd _uffd;
    private readonly List<string> _failures = [];
    private readonly List<Thread> _threads = [];
    private readonly StressArea[] _areas;
    private readonly byte[] _hugePage = new byte[PageSize.Huge];
    private long _accesses;
    private volatile bool _isOver;
    private volatile bool _isMonitorOver;

    /// <param name="engine">The engine.</param>
    /// <param name="seed">The seed of all that is random.</param>
    /// <param name="mayFail">Whether memory may run out, or pages may be unreadable in swap.</param>
    public StressScene(ManagedEngine engine, int seed, bool mayFail)
    {
        _mayFail = mayFail;
        _seeds = new Random(seed);
        _space = engine.CreateAddressSpace().OrThrow("an address space");
        _file = engine.CreateMemoryFile(new MemoryFileOptions { Name = "stress", Size = FilePages * Page }).OrThrow("a memory file");
        _hugeFile = engine.CreateMemoryFile(new MemoryFileOptions { Name = "stress, huge", Size = HugeBytes, HugePages = true }).OrThrow("a hugetlb file");
        const UserfaultfdFeatures Features = UserfaultfdFeatures.EventFork | UserfaultfdFeatures.EventRemove
            | UserfaultfdFeatures.EventRemap | UserfaultfdFeatures.EventUnmap;
        _uffd = UserfaultfdHandshake.Open(_space, Features).OrThrow("userfaultfd");
        _areas =
        [
            new(Place(1, Anonymous(64)), 64, Tag: 1, Tags: 1 << 1, StaysInPlace: false),
            new(Place(2, MapRequest.SharedFile(_file, FilePages * Page)), FilePages, Tag: 2, Tags: 1 << 2, StaysInPlace: true),
            new(Place(3, MapRequest.PrivateFile(_file, FilePages * Page)), FilePages, Tag: 3, Tags: (1 << 2) | (1 << 3), StaysInPlace: true),
            new(Place(4, Anonymous(1024)), 1024, Tag: 1, Tags: 1 << 1, StaysInPlace: false),
            new(Place(5, MapRequest.SharedFile(_hugeFile, HugeBytes)), 1024, Tag: 4, Tags: 1 << 4, StaysInPlace: true, PageSize.Huge),
            new(Place(6, MapRequest.PrivateFile(_hugeFile, HugeBytes)), 1024, Tag: 5, Tags: (1 << 4) | (1 << 5), StaysInPlace: true, PageSize.Huge),
        ];
        _space.Advise(_areas[3].Range, Advice.HugePage).OrThrow("madvise");
    }

    /// <summary>The accesses made so far.</summary>
    public long Accesses => Volatile.Read(ref _accesses);

    /// <summary>Lets all threads loose for a while. Afterwards nobody is inside a call, and nothing is registered.</summary>
    public void Run(TimeSpan duration)
    {
        _isOver = false;
        _isMonitorOver = false;
        _threads.Clear();
        Start(Monitor);
        foreach (Action<Random> body in (Action<Random>[])[Access, Access, Access, Fill, Change, Register, Forks, Closes])
        {
            Start(body);
        }

        var watch = Stopwatch.StartNew();
        SpinWait.SpinUntil(() => watch.Elapsed > duration || _failures.Count != 0, duration + Deadline);
        _isOver = true;

        // Sleepers go on when nothing is registered any more; the monitor reads until the last call is out.
        bool isQuiet = SpinWait.SpinUntil(UnregisterAndLook, Deadline);
        _isMonitorOver = true;
        Assert.True(isQuiet, $"Did not come back: {string.Join(", ", _threads.Skip(1).Where(thread => thread.IsAlive).Select(thread => thread.Name))}.");
        Assert.True(_threads.TrueForAll(thread => thread.Join(Deadline)), "The monitor did not come back.");
        Assert.True(_failures.Count == 0, string.Join('\n', _failures));
    }

    public void Dispose()
    {
        _uffd.Dispose();
        _space.Dispose();
        _file.Dispose();
        _hugeFile.Dispose();
    }

    private static MapRequest Anonymous(ulong pages) => MapRequest.PrivateAnonymous(pages * Page);

    private bool UnregisterAndLook()
    {
        foreach (StressArea area in _areas)
        {
            _uffd.Unregister(area.Range);
            _uffd.Wake(area.Range);
        }

        return _threads.Skip(1).All(thread => !thread.IsAlive);
    }

    private VirtualAddress Place(ulong number, MapRequest request) =>
        _space.Map(request with { Address = new VirtualAddress(number << 32), Options = request.Options | MapOptions.Fixed }).OrThrow("mmap");

    private void Start(Action<Random> body)
    {
        var random = new Random(_seeds.Next());
        var thread = new Thread(() => Guarded(body, random)) { IsBackground = true, Name = body.Method.Name };
        _threads.Add(thread);
        thread.Start();
    }

    private void Guarded(Action<Random> body, Random random)
    {
        try
        {
            body(random);
        }
#pragma warning disable CA1031 // Whatever it is, it is the finding of this test.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            lock (_failures)
            {
                _failures.Add($"{body.Method.Name}: {exception}");
            }
        }
    }

    private StressArea AnyArea(Random random) => _areas[random.Next(_areas.Length)];

    private AddressRange AnyRange(Random random)
    {
        StressArea area = AnyArea(random);
        if (area.PageBytes == PageSize.Huge && random.Next(4) != 0)
        {
            return area.Range.Slice((ulong)random.Next(2) * PageSize.Huge, PageSize.Huge);
        }

        int first = random.Next(area.PageTotal);

        // Mostly short, sometimes whole and aligned, so that huge entries are met as a whole.
        int count = random.Next(4) == 0 ? area.PageTotal - first : random.Next(1, Math.Min(16, area.PageTotal - first) + 1);
        return random.Next(16) == 0 ? area.Range : area.Range.Slice((ulong)first * Page, (ulong)count * Page);
    }

    private VirtualAddress AnyPage(Random random)
    {
        StressArea area = AnyArea(random);
        return area.Start + ((ulong)random.Next(area.PageTotal) * Page);
    }

    /// <summary>Answers faults and reads events, as a pager would.</summary>
    private void Monitor(Random random)
    {
        byte[] page = new byte[Page];
        var messages = new UserfaultfdMessage[16];
        while (!_isMonitorOver)
        {
            SystemResult<int> read = _uffd.Read(messages);
            if (read.Errno == Errno.EAGAIN)
            {
                Thread.Yield();
                continue;
            }

            for (int i = 0; i < read.OrThrow("read"); i++)
            {
                Answer(messages[i], page, random);
            }
        }
    }

    private void Answer(in UserfaultfdMessage message, byte[] page, Random random)
    {
        if (message.Event == UserfaultfdEvent.Fork)
        {
            message.Forked!.Dispose();
            return;
        }

        if (message.Event != UserfaultfdEvent.PageFault)
        {
            return;
        }

        VirtualAddress address = message.Address;
        StressArea? area = Array.Find(_areas, area => area.Range.Contains(address));
        if (area is null)
        {
            // The area is away, being moved.
            return;
        }

        var range = new AddressRange(address.AlignDown(area.PageBytes), area.PageBytes);
        switch (message.Kind)
        {
            case PageFaultKind.Missing when random.Next(2) == 0 && area.PageBytes == Page:
                _uffd.Zeropage(range);
                break;
            case PageFaultKind.Missing:
                _uffd.Copy(range.Start, area.PageBytes == Page ? page : _hugePage);
                break;
            case PageFaultKind.Minor:
                _uffd.Continue(range);
                break;
            default:
                _uffd.WriteProtect(range, WriteProtectModes.None);
                break;
        }

        _uffd.Wake(range);
    }

    private void Access(Random random)
    {
        using IMemoryAccess access = _space.OpenAccess().OrThrow("access");
        AccessWith(access, random, () => _isOver);
    }

    private void AccessWith(IMemoryAccess access, Random random, Func<bool> isOver)
    {
        ulong[] words = new ulong[3 * Page / sizeof(ulong)];
        while (!isOver())
        {
            StressArea area = AnyArea(random);
            ulong page = (ulong)random.Next(area.PageTotal);
            VirtualAddress address = area.Start + (page * Page) + ((ulong)random.Next((int)Page / sizeof(ulong)) * sizeof(ulong));
            AccessResult result;
            switch (random.Next(5))
            {
                case 4:
                    result = Burst(access, area, page, random);
                    break;
                case 0:
                    result = access.Load(address, out ulong word);
                    Assert.True(!result.IsOk || area.MaySee(word, page), $"{address} of {area} holds {word:x}.");
                    break;
                case 1:
                    result = access.Store(address, area.WordFor(page, (uint)random.Next()));
                    break;
                case 2:
                    Array.Clear(words);
                    result = access.Read(address, MemoryMarshal.AsBytes(words.AsSpan()));
                    CheckWords(area, address, words);
                    break;
                default:
                    for (int i = 0; i < words.Length; i++)
                    {
                        words[i] = area.WordFor(PageOf(area, address, i), (uint)i);
                    }

                    result = access.Write(address, MemoryMarshal.AsBytes(words.AsSpan()));
                    break;
            }

            Assert.NotEqual(AccessFault.Killed, result.Fault);

            // Short of memory, all of it may be busy for a moment.
            Assert.True(result.Fault != AccessFault.OutOfMemory || _mayFail);
            Interlocked.Increment(ref _accesses);
        }
    }

    /// <summary>Stays on one page for a while, so that an entry is changed while the translation is in use.</summary>
    private static AccessResult Burst(IMemoryAccess access, StressArea area, ulong page, Random random)
    {
        VirtualAddress start = area.Start + (page * Page);
        AccessResult result = default;
        for (int i = 0; i < 500 && result.IsOk; i++)
        {
            VirtualAddress address = start + ((ulong)random.Next((int)Page / sizeof(ulong)) * sizeof(ulong));
            if (random.Next(4) == 0)
            {
                result = access.Store(address, area.WordFor(page, (uint)i));
            }
            else
            {
                result = access.Load(address, out ulong word);
                Assert.True(!result.IsOk || area.MaySee(word, page), $"{address} of {area} holds {word:x}.");
            }
        }

        return result;
    }

    private static ulong PageOf(StressArea area, VirtualAddress address, int word) => ((address - area.Start) + ((ulong)word * sizeof(ulong))) / Page;

    private static void CheckWords(StressArea area, VirtualAddress address, ulong[] words)
    {
        for (int i = 0; i < words.Length; i++)
        {
            if (!area.MaySee(words[i], PageOf(area, address, i)))
            {
                Assert.Fail($"{address} + {i} words, of {area}, holds {words[i]:x}.");
            }
        }
    }

    private void Fill(Random random)
    {
        byte[] bytes = new byte[4 * Page];
        while (!_isOver)
        {
            AddressRange range = AnyRange(random);
            var modes = (FillModes)random.Next(4);
            switch (random.Next(7))
            {
                case 0:
                    _uffd.Copy(range.Start, range.Length == PageSize.Huge ? _hugePage : bytes, modes);
                    break;
                case 1:
                    _uffd.Continue(range, modes);
                    break;
                case 2:
                    _uffd.Zeropage(range, modes & FillModes.DontWake);
                    break;
                case 3:
                    _uffd.Poison(range.Length == PageSize.Huge ? range : range with { Length = Page });
                    break;
                case 4:
                    _uffd.WriteProtect(range, (WriteProtectModes)random.Next(2));
                    break;
                case 5:
                    MoveHuge(random);
                    break;
                default:
                    _uffd.Move(range.Start, AnyPage(random), Page, MoveModes.AllowSourceHoles);
                    break;
            }
        }
    }

    private void MoveHuge(Random random)
    {
        VirtualAddress start = _areas[3].Start;
        ulong half = (ulong)random.Next(2) * PageSize.Huge;
        _uffd.Move(start + half, start + (PageSize.Huge - half), PageSize.Huge, MoveModes.AllowSourceHoles);
    }

    private void Change(Random random)
    {
        while (!_isOver)
        {
            AddressRange range = AnyRange(random);

            // In whole words: loads elsewhere look at words, and would see half of one.
            ulong offset = (ulong)random.Next(FilePages * (int)Page) & ~7UL;
            switch (random.Next(15))
            {
                case 13:
                    _hugeFile.PunchHole((ulong)random.Next(2) * PageSize.Huge, PageSize.Huge);
                    break;
                case 14:
                    _hugeFile.Truncate((ulong)random.Next(2) * PageSize.Huge);
                    _hugeFile.Truncate(HugeBytes);
                    break;
                case 0:
                    _space.Advise(range, Advice.DontNeed);
                    break;
                case 1:
                    _space.Advise(range, Advice.Remove);
                    break;
                case 2:
                    _space.Advise(range, Advice.PageOut);
                    break;
                case 3:
                    _space.Protect(range, Protections.Read);
                    _space.Protect(range, Protections.ReadWrite);
                    break;
                case 4:
                    _file.PunchHole(offset, (ulong)random.Next(1, 2500) * sizeof(ulong));
                    break;
                case 5:
                    _file.Truncate(offset);
                    _file.Truncate(FilePages * Page);
                    break;
                case 6:
                    _file.Allocate(offset, Page);
                    _file.Write(offset, new byte[104]);
                    break;
                case 7:
                    MoveAway(random.Next(2) == 0 ? _areas[0] : _areas[3]);
                    break;
                case 8:
                    _space.Advise(range, Advice.Free);
                    break;
                case 9:
                    _space.Advise(range, Advice.Collapse);
                    break;
                case 10:
                    _space.Lock(range with { Length = Page });
                    _space.Unlock(range);
                    break;
                case 11:
                    _space.Inspector.GetMappings(range);
                    break;
                default:
                    _space.Advise(range, Advice.GuardInstall);
                    _space.Advise(range, Advice.GuardRemove);
                    break;
            }
        }
    }

    /// <summary>Moves an area to another place and back.</summary>
    private void MoveAway(StressArea area)
    {
        const RemapOptions Fixed = RemapOptions.MayMove | RemapOptions.Fixed;
        SystemResult<VirtualAddress> moved = _space.Remap(area.Range, area.Range.Length, Fixed, Away);
        if (moved.IsOk)
        {
            moved = _space.Remap(area.Range with { Start = Away }, area.Range.Length, Fixed, area.Start);
        }

        if (!moved.IsOk)
        {
            // Registered in parts, or short of memory: fresh memory in its place then.
            _space.Unmap(area.Range with { Start = Away });
            Place(area.Start.Value >> 32, Anonymous((ulong)area.PageTotal));
            _space.Advise(area.Range, area.PageTotal >= 512 ? Advice.HugePage : Advice.Normal);
        }
    }

    private void Register(Random random)
    {
        while (!_isOver)
        {
            AddressRange range = AnyRange(random);
            if (random.Next(2) == 0)
            {
                _uffd.Register(range, (RegisterModes)random.Next(1, 8));
            }
            else
            {
                _uffd.Unregister(range);
                _uffd.Wake(range);
            }

            Thread.Yield();
        }
    }

    /// <summary>Other contexts come and go; nobody answers their faults, and their end sets the sleepers free.</summary>
    private void Closes(Random random)
    {
        while (!_isOver)
        {
            UserfaultfdFeatures features = random.Next(2) == 0 ? UserfaultfdFeatures.None : UserfaultfdFeatures.SigBus;
            using IUserfaultfd other = UserfaultfdHandshake.Open(_space, features).OrThrow("userfaultfd");
            other.Register(AnyRange(random), (RegisterModes)random.Next(1, 8));
            other.WriteProtect(AnyRange(random), WriteProtectModes.Protect);
            Thread.SpinWait(random.Next(20_000));
        }
    }

    private void Forks(Random random)
    {
        while (!_isOver)
        {
            SystemResult<IAddressSpace> forked = _space.Fork();
            if (!forked.IsOk)
            {
                Assert.True(_mayFail && forked.Errno == Errno.ENOMEM, $"fork answered {forked.Errno}.");
                continue;
            }

            using IAddressSpace child = forked.Value;
            using IMemoryAccess access = child.OpenAccess().OrThrow("access");
            int left = 50;
            AccessWith(access, random, () => _isOver || left-- == 0);
        }
    }
}
