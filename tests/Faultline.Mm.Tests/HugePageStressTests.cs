using System;
using System.Collections.Generic;
using System.Linq;
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

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void HugePages_EverythingAtOnceSeeded_AddsUpAndLosesNothing(int seed)
    {
        TimeSpan duration = StressLoad.DurationOr(TimeSpan.FromSeconds(1));
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

    private sealed class Scene : StressLoad
    {
        private readonly IMemoryFile _file;

        /// <summary>Two of private memory, and a shared and a private mapping of the file.</summary>
        private readonly VirtualAddress[] _areas;

        /// <summary>Calls that made huge pages, and what khugepaged made.</summary>
        private int _collapsed;

        public Scene(ManagedEngine engine, int seed)
            : base(engine, seed, UserfaultfdFeatures.WriteProtectAsync)
        {
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
                Assert.True(Userfaultfd.Register(Whole(area), RegisterModes.WriteProtect).IsOk);
            }
        }

        protected override IReadOnlyList<Action<Random>> Bodies => [Access, Access, Discard, Protect, Move, Forks, Files, Khugepaged];

        protected override IEnumerable<AddressRange> Areas => _areas.Select(Whole);

        protected override bool HasSeenEnough => Volatile.Read(ref _collapsed) > 0;

        protected override void DisposeFiles() => _file.Dispose();

        protected override void Answer(in UserfaultfdMessage message, Random random) =>
            Assert.Fail($"Protection is asynchronous, and yet there is a message: {message.Kind} at {message.Address}.");

        private static AddressRange Whole(VirtualAddress area) => new(area, AreaPages * Page);

        private VirtualAddress AnyArea(Random random) => _areas[random.Next(_areas.Length)];

        /// <summary>Small pieces, whole huge pages, everything.</summary>
        protected override AddressRange AnyRange(Random random)
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
            using IMemoryAccess access = Space.OpenAccess().OrThrow("access");
            while (!IsOver)
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
            while (!IsOver)
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
                bool isDone = Space.Advise(range, advice).IsOk;
                Interlocked.Add(ref _collapsed, isDone && advice == Advice.Collapse && range.Length >= PageSize.Huge ? 1 : 0);
                if (advice == Advice.GuardInstall)
                {
                    Space.Advise(range, Advice.GuardRemove);
                }

                Thread.Yield();
            }
        }

        private void Protect(Random random)
        {
            while (!IsOver)
            {
                AddressRange range = AnyRange(random);
                switch (random.Next(3))
                {
                    case 0:
                        Userfaultfd.WriteProtect(range, WriteProtectModes.Protect);
                        break;
                    case 1:
                        Userfaultfd.WriteProtect(range, WriteProtectModes.None);
                        break;
                    default:
                        Space.Protect(range, Protections.Read);
                        Space.Protect(range, Protections.ReadWrite);
                        break;
                }

                Thread.Yield();
            }
        }

        /// <summary>Moves pages to the same place of the other area, and an area away and back.</summary>
        private void Move(Random random)
        {
            while (!IsOver)
            {
                AddressRange range = AnyRange(random);
                ulong offset = range.Start.Value & ((1UL << 32) - 1);
                VirtualAddress other = _areas[random.Next(2)] + offset;
                if (other != range.Start)
                {
                    Space.Advise(new AddressRange(other, range.Length), Advice.DontNeed);
                    Userfaultfd.Move(other, range.Start, range.Length, MoveModes.AllowSourceHoles);
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
            if (Space.Remap(area, area.Length, Fixed, away).IsOk)
            {
                Space.Remap(new AddressRange(away, area.Length), area.Length, Fixed, area.Start).OrThrow("mremap back", area);
            }

            Userfaultfd.Register(area, RegisterModes.WriteProtect);
        }

        private void Khugepaged(Random random)
        {
            while (!IsOver)
            {
                Interlocked.Add(ref _collapsed, Engine.ScanForHugePages());

                // It has everybody else out for each huge page it looks at closely.
                SpinWait.SpinUntil(() => IsOver, TimeSpan.FromMilliseconds(random.Next(5, 40)));
            }
        }

        /// <summary>Cuts, punches and fills the file; what the pages hold is zero or their own.</summary>
        private void Files(Random random)
        {
            while (!IsOver)
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
                        Userfaultfd.Continue(new AddressRange(_areas[2 + random.Next(2)] + offset, Page));
                        break;
                    case 3:
                        _file.Allocate(offset, Page);
                        break;
                    case 4:
                        Userfaultfd.Zeropage(new AddressRange(_areas[2 + random.Next(2)] + offset, Page));
                        break;
                    default:
                        _file.Write(offset, BitConverter.GetBytes((1UL << 16) | (uint)page));
                        break;
                }
            }
        }

        private void Forks(Random random)
        {
            while (!IsOver)
            {
                using IAddressSpace child = Space.Fork().OrThrow("fork");
                using IMemoryAccess access = child.OpenAccess().OrThrow("access");
                for (int i = 0; i < 200 && !IsOver; i++)
                {
                    CheckedAccess(access, AnyArea(random), random.Next(AreaPages), random);
                }
            }
        }
    }
}
