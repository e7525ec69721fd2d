using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>What the threads of the stress test do, and to what: an address space with four areas, a file, a monitor.</summary>
internal sealed class StressScene : StressLoad
{
    private const ulong Page = PageSize.Small;
    private const int FilePages = 64;
    private const ulong HugeBytes = 2 * PageSize.Huge;
    private const UserfaultfdFeatures Features = UserfaultfdFeatures.EventFork | UserfaultfdFeatures.EventRemove
        | UserfaultfdFeatures.EventRemap | UserfaultfdFeatures.EventUnmap;

    private static readonly VirtualAddress Away = new(9UL << 32);

    private readonly bool _mayFail;
    private readonly IMemoryFile _file;
    private readonly IMemoryFile _hugeFile;
    private readonly StressArea[] _areas;
    private readonly byte[] _page = new byte[Page];
    private readonly byte[] _hugePage = new byte[PageSize.Huge];
    private long _accesses;

    /// <param name="engine">The engine.</param>
    /// <param name="seed">The seed of all that is random.</param>
    /// <param name="mayFail">Whether memory may run out, or pages may be unreadable in swap.</param>
    public StressScene(ManagedEngine engine, int seed, bool mayFail)
        : base(engine, seed, Features)
    {
        _mayFail = mayFail;
        _file = engine.CreateMemoryFile(new MemoryFileOptions { Name = "stress", Size = FilePages * Page }).OrThrow("a memory file");
        _hugeFile = engine.CreateMemoryFile(new MemoryFileOptions { Name = "stress, huge", Size = HugeBytes, HugePages = true }).OrThrow("a hugetlb file");
        _areas =
        [
            new(Place(1, Anonymous(64)), 64, Tag: 1, Tags: 1 << 1, StaysInPlace: false),
            new(Place(2, MapRequest.SharedFile(_file, FilePages * Page)), FilePages, Tag: 2, Tags: 1 << 2, StaysInPlace: true),
            new(Place(3, MapRequest.PrivateFile(_file, FilePages * Page)), FilePages, Tag: 3, Tags: (1 << 2) | (1 << 3), StaysInPlace: true),
            new(Place(4, Anonymous(1024)), 1024, Tag: 1, Tags: 1 << 1, StaysInPlace: false),
            new(Place(5, MapRequest.SharedFile(_hugeFile, HugeBytes)), 1024, Tag: 4, Tags: 1 << 4, StaysInPlace: true, PageSize.Huge),
            new(Place(6, MapRequest.PrivateFile(_hugeFile, HugeBytes)), 1024, Tag: 5, Tags: (1 << 4) | (1 << 5), StaysInPlace: true, PageSize.Huge),
        ];
        Space.Advise(_areas[3].Range, Advice.HugePage).OrThrow("madvise");
    }

    /// <summary>The accesses made so far.</summary>
    public long Accesses => Volatile.Read(ref _accesses);

    protected override IReadOnlyList<Action<Random>> Bodies => [Access, Access, Access, Fill, Change, Register, Forks, Closes];

    protected override IEnumerable<AddressRange> Areas => _areas.Select(area => area.Range);

    protected override void DisposeFiles()
    {
        _file.Dispose();
        _hugeFile.Dispose();
    }

    protected override void Answer(in UserfaultfdMessage message, Random random)
    {
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
                Userfaultfd.Zeropage(range);
                break;
            case PageFaultKind.Missing:
                Userfaultfd.Copy(range.Start, area.PageBytes == Page ? _page : _hugePage);
                break;
            case PageFaultKind.Minor:
                Userfaultfd.Continue(range);
                break;
            default:
                Userfaultfd.WriteProtect(range, WriteProtectModes.None);
                break;
        }

        Userfaultfd.Wake(range);
    }

    private static MapRequest Anonymous(ulong pages) => MapRequest.PrivateAnonymous(pages * Page);

    private StressArea AnyArea(Random random) => _areas[random.Next(_areas.Length)];

    protected override AddressRange AnyRange(Random random)
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

    private void Access(Random random)
    {
        using IMemoryAccess access = Space.OpenAccess().OrThrow("access");
        AccessWith(access, random, () => IsOver);
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
        while (!IsOver)
        {
            AddressRange range = AnyRange(random);
            var modes = (FillModes)random.Next(4);
            switch (random.Next(7))
            {
                case 0:
                    Userfaultfd.Copy(range.Start, range.Length == PageSize.Huge ? _hugePage : bytes, modes);
                    break;
                case 1:
                    Userfaultfd.Continue(range, modes);
                    break;
                case 2:
                    Userfaultfd.Zeropage(range, modes & FillModes.DontWake);
                    break;
                case 3:
                    Userfaultfd.Poison(range.Length == PageSize.Huge ? range : range with { Length = Page });
                    break;
                case 4:
                    Userfaultfd.WriteProtect(range, (WriteProtectModes)random.Next(2));
                    break;
                case 5:
                    MoveHuge(random);
                    break;
                default:
                    Userfaultfd.Move(range.Start, AnyPage(random), Page, MoveModes.AllowSourceHoles);
                    break;
            }
        }
    }

    private void MoveHuge(Random random)
    {
        VirtualAddress start = _areas[3].Start;
        ulong half = (ulong)random.Next(2) * PageSize.Huge;
        Userfaultfd.Move(start + half, start + (PageSize.Huge - half), PageSize.Huge, MoveModes.AllowSourceHoles);
    }

    private void Change(Random random)
    {
        while (!IsOver)
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
                    Space.Advise(range, Advice.DontNeed);
                    break;
                case 1:
                    Space.Advise(range, Advice.Remove);
                    break;
                case 2:
                    Space.Advise(range, Advice.PageOut);
                    break;
                case 3:
                    Space.Protect(range, Protections.Read);
                    Space.Protect(range, Protections.ReadWrite);
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
                    Space.Advise(range, Advice.Free);
                    break;
                case 9:
                    Space.Advise(range, Advice.Collapse);
                    break;
                case 10:
                    Space.Lock(range with { Length = Page });
                    Space.Unlock(range);
                    break;
                case 11:
                    Space.Inspector.GetMappings(range);
                    break;
                default:
                    Space.Advise(range, Advice.GuardInstall);
                    Space.Advise(range, Advice.GuardRemove);
                    break;
            }
        }
    }

    /// <summary>Moves an area to another place and back.</summary>
    private void MoveAway(StressArea area)
    {
        const RemapOptions Fixed = RemapOptions.MayMove | RemapOptions.Fixed;
        SystemResult<VirtualAddress> moved = Space.Remap(area.Range, area.Range.Length, Fixed, Away);
        if (moved.IsOk)
        {
            moved = Space.Remap(area.Range with { Start = Away }, area.Range.Length, Fixed, area.Start);
        }

        if (!moved.IsOk)
        {
            // Registered in parts, or short of memory: fresh memory in its place then.
            Space.Unmap(area.Range with { Start = Away });
            Place(area.Start.Value >> 32, Anonymous((ulong)area.PageTotal));
            Space.Advise(area.Range, area.PageTotal >= 512 ? Advice.HugePage : Advice.Normal);
        }
    }

    /// <summary>Other contexts come and go; nobody answers their faults, and their end sets the sleepers free.</summary>
    private void Closes(Random random)
    {
        while (!IsOver)
        {
            UserfaultfdFeatures features = random.Next(2) == 0 ? UserfaultfdFeatures.None : UserfaultfdFeatures.SigBus;
            using IUserfaultfd other = UserfaultfdHandshake.Open(Space, features).OrThrow("userfaultfd");
            other.Register(AnyRange(random), (RegisterModes)random.Next(1, 8));
            other.WriteProtect(AnyRange(random), WriteProtectModes.Protect);
            Thread.SpinWait(random.Next(20_000));
        }
    }

    private void Forks(Random random)
    {
        while (!IsOver)
        {
            SystemResult<IAddressSpace> forked = Space.Fork();
            if (!forked.IsOk)
            {
                Assert.True(_mayFail && forked.Errno == Errno.ENOMEM, $"fork answered {forked.Errno}.");
                continue;
            }

            using IAddressSpace child = forked.Value;
            using IMemoryAccess access = child.OpenAccess().OrThrow("access");
            int left = 50;
            AccessWith(access, random, () => IsOver || left-- == 0);
        }
    }
}
