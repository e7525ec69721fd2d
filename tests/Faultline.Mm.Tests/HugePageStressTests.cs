using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Threading;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>
/// Real threads that fault huge pages in, split them, move, protect, swap out, fork and collapse them, by seed. A word of a page holds zero or a value that
/// names the page, whatever happens; afterwards the engine is checked as a whole, and every frame must come back.
/// </summary>
public sealed class HugePageStressTests
{
    private const ulong Page = PageSize.Small;
    private const int HugePages = 3;
    private const int AreaPages = HugePages * 512;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void HugePages_EverythingAtOnceSeeded_AddsUpAndLosesNothing(int seed)
    {
        string? wanted = Environment.GetEnvironmentVariable("FAULTLINE_STRESS_SECONDS");
        var duration = TimeSpan.FromSeconds(wanted is null ? 1 : double.Parse(wanted, CultureInfo.InvariantCulture));
        using var engine = new ManagedEngine(new ManagedEngineOptions
        {
            MemoryBytes = 128UL << 20,
            MemoryLimitBytes = seed % 2 == 0 ? 10UL << 20 : 0,
            Swap = new MemorySwapDevice(16384),
            TransparentHugePages = TransparentHugePages.Always,
            Khugepaged = new KhugepagedOptions { Files = TransparentHugePages.Always },
            GuardsMemory = true,
        });
        long framesAtStart = engine.FramesInUse;
        using (var scene = new Scene(engine, seed))
        {
            scene.Run(duration);
            IReadOnlyList<string> violations = engine.FindViolations();
            Assert.True(violations.Count == 0, string.Join('\n', violations));
        }

        IReadOnlyList<string> after = engine.FindViolations();
        Assert.True(after.Count == 0, string.Join('\n', after));
        Assert.Equal(framesAtStart, engine.FramesInUse);
    }

    private sealed class Scene : IDisposable
    {
        private readonly ManagedEngine _engine;
        private readonly int _seed;
        private readonly IAddressSpace _space;
        private readonly IUserfaultfd _uffd;
        private readonly List<Thread> _threads = [];
        private readonly List<string> _failures = [];
        private readonly IMemoryFile _file;

        /// <summary>Two of private memory, and a shared and a private mapping of the file.</summary>
        private readonly VirtualAddress[] _areas;
        private volatile bool _isOver;

        /// <summary>Calls that made huge pages, and what khugepaged made.</summary>
        private int _collapsed;

        public Scene(ManagedEngine engine, int seed)
        {
            _engine = engine;
            _seed = seed;
            _space = engine.CreateAddressSpace().OrThrow("an address space");
            _uffd = UserfaultfdHandshake.Open(_space, UserfaultfdFeatures.WriteProtectAsync).OrThrow("userfaultfd");
            _file = engine.CreateMemoryFile(new MemoryFileOptions { Name = "stress", Size = AreaPages * Page }).OrThrow("a memory file");
            _areas =
            [
                Place(1, MapRequest.PrivateAnonymous(AreaPages * Page)),
                Place(2, MapRequest.PrivateAnonymous(AreaPages * Page)),
                Place(3, MapRequest.SharedFile(_file, AreaPages * Page)),
                Place(4, MapRequest.PrivateFile(_file, AreaPages * Page)),
            ];
            foreach (VirtualAddress area in _areas)
            {
                Assert.True(_uffd.Register(Whole(area), RegisterModes.WriteProtect).IsOk);
            }
        }

        public void Run(TimeSpan duration)
        {
            Start(Access, 1);
            Start(Access, 2);
            Start(Discard, 3);
            Start(Protect, 4);
            Start(Move, 5);
            Start(Forks, 6);
            Start(Files, 7);
            Start(Khugepaged, 8);
            var watch = Stopwatch.StartNew();

            // On a busy machine it goes on until there was something to see.
            bool IsEnough() => watch.Elapsed > duration && Volatile.Read(ref _collapsed) > 0;
            SpinWait.SpinUntil(() => IsEnough() || _failures.Count != 0, duration + Deadline);
            _isOver = true;
            Assert.True(_threads.TrueForAll(thread => thread.Join(Deadline)), "A thread did not come back.");
            Assert.True(_failures.Count == 0, string.Join('\n', _failures));
            Assert.True(_collapsed > 0, "Nothing was ever collapsed: the load does not do what it is for.");
        }

        public void Dispose()
        {
            _uffd.Dispose();
            _space.Dispose();
            _file.Dispose();
        }

        private static AddressRange Whole(VirtualAddress area) => new(area, AreaPages * Page);

        private VirtualAddress Place(ulong number, MapRequest request) =>
            _space.Map(request with { Address = new VirtualAddress(number << 32), Options = request.Options | MapOptions.Fixed }).OrThrow("mmap");

        private VirtualAddress AnyArea(Random random) => _areas[random.Next(_areas.Length)];

        private void Start(Action<Random> body, int number)
        {
            var thread = new Thread(() => Guarded(body, new Random((_seed * 100) + number))) { IsBackground = true, Name = body.Method.Name };
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

        /// <summary>Small pieces, whole huge pages, everything.</summary>
        private AddressRange AnyRange(Random random)
        {
            VirtualAddress area = AnyArea(random);
            switch (random.Next(4))
            {
                case 0:
                    return Whole(area);
                case 1:
                    return new AddressRange(area + ((ulong)random.Next(HugePages) * PageSize.Huge), PageSize.Huge);
                default:
                    int first = random.Next(AreaPages);
                    return new AddressRange(area + ((ulong)first * Page), (ulong)random.Next(1, Math.Min(40, AreaPages - first) + 1) * Page);
            }
        }

        private void Access(Random random)
        {
            using IMemoryAccess access = _space.OpenAccess().OrThrow("access");
            while (!_isOver)
            {
                int page = random.Next(AreaPages);
                CheckedAccess(access, AnyArea(random), page, random);
            }
        }

        private static void CheckedAccess(IMemoryAccess access, VirtualAddress area, int page, Random random)
        {
            VirtualAddress address = area + ((ulong)page * Page) + ((ulong)random.Next(512) * 8);
            if (random.Next(2) == 0)
            {
                _ = access.Store(address, ((ulong)random.Next() << 16) | (uint)page);
            }
            else if (access.Load(address, out ulong value).IsOk && value != 0)
            {
                Assert.Equal((ulong)page, value & 0xFFFF);
            }
        }

        private void Discard(Random random)
        {
            while (!_isOver)
            {
                Advice advice = random.Next(8) switch
                {
                    0 => Advice.DontNeed,
                    1 => Advice.PageOut,
                    2 => Advice.Free,
                    3 => Advice.GuardInstall,
                    4 => Advice.Remove,
                    _ => Advice.Collapse,
                };
                AddressRange range = AnyRange(random);
                bool isDone = _space.Advise(range, advice).IsOk;
                Interlocked.Add(ref _collapsed, isDone && advice == Advice.Collapse && range.Length >= PageSize.Huge ? 1 : 0);
                if (advice == Advice.GuardInstall)
                {
                    _space.Advise(range, Advice.GuardRemove);
                }

                Thread.Yield();
            }
        }

        private void Protect(Random random)
        {
            while (!_isOver)
            {
                AddressRange range = AnyRange(random);
                switch (random.Next(3))
                {
                    case 0:
                        _uffd.WriteProtect(range, WriteProtectModes.Protect);
                        break;
                    case 1:
                        _uffd.WriteProtect(range, WriteProtectModes.None);
                        break;
                    default:
                        _space.Protect(range, Protections.Read);
                        _space.Protect(range, Protections.ReadWrite);
                        break;
                }

                Thread.Yield();
            }
        }

        /// <summary>Moves pages to the same place of the other area, and an area away and back.</summary>
        private void Move(Random random)
        {
            while (!_isOver)
            {
                AddressRange range = AnyRange(random);
                ulong offset = range.Start.Value & ((1UL << 32) - 1);
                VirtualAddress other = _areas[random.Next(2)] + offset;
                if (other != range.Start)
                {
                    _space.Advise(new AddressRange(other, range.Length), Advice.DontNeed);
                    _uffd.Move(other, range.Start, range.Length, MoveModes.AllowSourceHoles);
                }

                if (random.Next(8) == 0)
                {
                    MoveAway(random);
                }
            }
        }

        private void MoveAway(Random random)
        {
            AddressRange area = Whole(AnyArea(random));
            var away = new VirtualAddress((9UL << 32) + ((ulong)random.Next(2) * Page));
            const RemapOptions Fixed = RemapOptions.MayMove | RemapOptions.Fixed;
            if (_space.Remap(area, area.Length, Fixed, away).IsOk)
            {
                _space.Remap(new AddressRange(away, area.Length), area.Length, Fixed, area.Start).OrThrow("mremap back", area);
            }

            _uffd.Register(area, RegisterModes.WriteProtect);
        }

        private void Khugepaged(Random random)
        {
            while (!_isOver)
            {
                Interlocked.Add(ref _collapsed, _engine.ScanForHugePages());

                // It has everybody else out for each huge page it looks at closely.
                SpinWait.SpinUntil(() => _isOver, TimeSpan.FromMilliseconds(random.Next(5, 40)));
            }
        }

        /// <summary>Cuts, punches and fills the file; what the pages hold is zero or their own.</summary>
        private void Files(Random random)
        {
            while (!_isOver)
            {
                int page = random.Next(AreaPages);
                ulong offset = (ulong)page * Page;
                switch (random.Next(6))
                {
                    case 0 when random.Next(10) == 0:
                        _file.Truncate(offset + 100);
                        _file.Truncate(AreaPages * Page);
                        break;
                    case 1:
                        _file.PunchHole(offset + 8, (ulong)random.Next(1, 30_000));
                        break;
                    case 2:
                        _uffd.Continue(new AddressRange(_areas[2 + random.Next(2)] + offset, Page));
                        break;
                    case 3:
                        _file.Allocate(offset, Page);
                        break;
                    case 4:
                        _uffd.Zeropage(new AddressRange(_areas[2 + random.Next(2)] + offset, Page));
                        break;
                    default:
                        _file.Write(offset, BitConverter.GetBytes((1UL << 16) | (uint)page));
                        break;
                }
            }
        }

        private void Forks(Random random)
        {
            while (!_isOver)
            {
                using IAddressSpace child = _space.Fork().OrThrow("fork");
                using IMemoryAccess access = child.OpenAccess().OrThrow("access");
                for (int i = 0; i < 200 && !_isOver; i++)
                {
                    CheckedAccess(access, AnyArea(random), random.Next(AreaPages), random);
                }
            }
        }
    }
}
