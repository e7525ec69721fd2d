using System;
using System.Collections.Generic;
using System.Linq;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>
/// Real threads that do everything at once to mappings of huge pages, by seed, with a pool that is too small for all of it: fault, fill, truncate,
/// punch, fork, remap, register, close. Afterwards every page must be back in the pool, and none promised. Set FAULTLINE_STRESS_SECONDS for longer
/// runs.
/// </summary>
public sealed class HugetlbStressTests
{
    private const ulong Page = PageSize.Huge;
    private const ulong AreaPages = 6;
    private const UserfaultfdFeatures Features = UserfaultfdFeatures.EventFork | UserfaultfdFeatures.EventRemove
        | UserfaultfdFeatures.EventRemap | UserfaultfdFeatures.EventUnmap;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void EverythingAtOnce_Seeded_AddsUpAndLeaksNothing(int seed)
    {
        TimeSpan duration = StressLoad.DurationOr(TimeSpan.FromSeconds(1));

        // Odd seeds: the reservations of the three areas and one page. Even seeds: nothing is reserved, and half of the pages must do.
        int pool = seed % 2 == 0 ? 10 : (3 * (int)AreaPages) + 1;
        using var engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 128UL << 20, HugePages = pool });
        long framesAtStart = engine.FramesInUse;
        using (var scene = new Scene(engine, seed))
        {
            scene.Run(duration);
            IReadOnlyList<string> violations = engine.FindViolations();
            Assert.True(violations.Count == 0, string.Join('\n', violations));
        }

        IReadOnlyList<string> after = engine.FindViolations();
        Assert.True(after.Count == 0, string.Join('\n', after));
        Assert.Equal(new HugePageCounts(pool, pool, 0), engine.HugePages);
        Assert.Equal(framesAtStart, engine.FramesInUse);
    }

    private sealed class Scene : StressLoad
    {
        private readonly int _seed;
        private readonly IMemoryFile _file;
        private readonly byte[] _page = new byte[Page];
        private readonly VirtualAddress _anonymous;
        private readonly VirtualAddress _shared;
        private readonly VirtualAddress _private;

        public Scene(ManagedEngine engine, int seed)
            : base(engine, seed, Features)
        {
            _seed = seed;
            _file = engine.CreateMemoryFile(new MemoryFileOptions { Name = "stress", Size = AreaPages * Page, HugePages = true }).OrThrow("a memory file");
            _anonymous = Place(1, Anonymous);
            _shared = Place(2, MapRequest.SharedFile(_file, AreaPages * Page));
            _private = Place(3, MapRequest.PrivateFile(_file, AreaPages * Page));
        }

        protected override MapOptions PlaceOptions => _seed % 2 == 0 ? MapOptions.Fixed | MapOptions.NoReserve : MapOptions.Fixed;

        protected override IReadOnlyList<Action<Random>> Bodies => [Access, Access, Access, Fill, Change, Register, Forks];

        protected override IEnumerable<AddressRange> Areas => Starts.Select(start => new AddressRange(start, AreaPages * Page));

        private static MapRequest Anonymous
        {
            get
            {
                var request = MapRequest.PrivateAnonymous(AreaPages * Page);
                return request with { Options = request.Options | MapOptions.HugeTlb };
            }
        }

        private VirtualAddress[] Starts => [_anonymous, _shared, _private];

        protected override void DisposeFiles() => _file.Dispose();

        protected override void Answer(in UserfaultfdMessage message, Random random)
        {
            var range = new AddressRange(message.Address, Page);
            FillResult filled = message.Kind switch
            {
                PageFaultKind.Missing => Userfaultfd.Copy(message.Address, _page),
                PageFaultKind.Minor => Userfaultfd.Continue(range),
                _ => new FillResult(Userfaultfd.WriteProtect(range, WriteProtectModes.None).Errno, 0),
            };
            if (filled.Errno == Errno.ENOMEM && random.Next(2) == 0)
            {
                // The pool is empty: whoever waits hears it from the page.
                Userfaultfd.Poison(range);
            }

            Userfaultfd.Wake(range);
        }

        /// <summary>What the old mapping had reserved, a child may have taken by now: then there is a hole for a while.</summary>
        private void PlaceAgain()
        {
            Errno errno = TryPlace(1, Anonymous).Errno;
            Assert.True(errno is Errno.None or Errno.ENOMEM, $"mmap answered {errno}.");
        }

        private VirtualAddress AnyPage(Random random) => Starts[random.Next(3)] + ((ulong)random.Next((int)AreaPages) * Page);

        protected override AddressRange AnyRange(Random random)
        {
            VirtualAddress area = Starts[random.Next(3)];
            int first = random.Next((int)AreaPages);
            return new AddressRange(area + ((ulong)first * Page), (ulong)random.Next(1, (int)AreaPages - first + 1) * Page);
        }

        private void Access(Random random)
        {
            using IMemoryAccess access = Space.OpenAccess().OrThrow("access");
            byte[] buffer = new byte[Page + PageSize.Small];
            while (!IsOver)
            {
                VirtualAddress address = AnyPage(random);
                AccessResult result = random.Next(4) switch
                {
                    0 => access.Load(address, out _),
                    1 => access.Store(address, (ulong)random.NextInt64()),
                    2 => access.Read(address + 5, buffer),
                    _ => access.Write(address + 9, buffer),
                };
                Assert.NotEqual(AccessFault.Killed, result.Fault);

                Assert.NotEqual(AccessFault.OutOfMemory, result.Fault);
            }
        }

        private void Fill(Random random)
        {
            byte[] bytes = new byte[2 * Page];
            while (!IsOver)
            {
                AddressRange range = AnyRange(random);
                var modes = (FillModes)random.Next(4);
                switch (random.Next(6))
                {
                    case 0:
                        Userfaultfd.Copy(range.Start, bytes, modes);
                        break;
                    case 1:
                        Userfaultfd.Continue(range, modes);
                        break;
                    case 2:
                        Userfaultfd.Copy(range with { Length = Page }, AnyPage(random), modes);
                        break;
                    case 3:
                        Userfaultfd.Poison(range with { Length = Page });
                        break;
                    case 4:
                        Userfaultfd.WriteProtect(range, (WriteProtectModes)random.Next(2));
                        break;
                    default:
                        Userfaultfd.Wake(range);
                        break;
                }
            }
        }

        private void Change(Random random)
        {
            while (!IsOver)
            {
                AddressRange range = AnyRange(random);
                ulong offset = (ulong)random.Next((int)(AreaPages * Page));
                switch (random.Next(9))
                {
                    case 0:
                        Space.Advise(range, Advice.DontNeed);
                        break;
                    case 1:
                        Space.Advise(range, Advice.Remove);
                        break;
                    case 2:
                        Space.Advise(range, Advice.PopulateWrite);
                        break;
                    case 3:
                        Space.Protect(range, Protections.Read);
                        Space.Protect(range, Protections.ReadWrite);
                        break;
                    case 4:
                        _file.PunchHole(offset, (ulong)random.Next(1, (int)(2 * Page)));
                        break;
                    case 5:
                        _file.Truncate(offset & ~(Page - 1));
                        _file.Truncate(AreaPages * Page);
                        break;
                    case 6:
                        _file.Allocate(offset, Page);
                        _file.Read(offset, new byte[100]);
                        break;
                    case 7:
                        MoveAway();
                        break;
                    default:
                        PlaceAgain();
                        break;
                }
            }
        }

        /// <summary>Moves an area to another place and back.</summary>
        private void MoveAway()
        {
            var area = new AddressRange(_anonymous, AreaPages * Page);
            var away = new VirtualAddress(9UL << 32);
            const RemapOptions Fixed = RemapOptions.MayMove | RemapOptions.Fixed;
            if (Space.Remap(area, area.Length, Fixed, away).IsOk)
            {
                Space.Remap(new AddressRange(away, area.Length), area.Length, Fixed, _anonymous).OrThrow("mremap back", area);
            }
            else
            {
                // Registered in parts: several mappings cannot be moved as one. Fresh memory in its place then.
                PlaceAgain();
            }
        }

        private void Forks(Random random)
        {
            while (!IsOver)
            {
                using IAddressSpace child = Space.Fork().OrThrow("fork");
                using IMemoryAccess access = child.OpenAccess().OrThrow("access");
                for (int i = 0; i < 10 && !IsOver; i++)
                {
                    access.Store(AnyPage(random), 1);
                }
            }
        }
    }
}
