using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
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
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void EverythingAtOnce_Seeded_AddsUpAndLeaksNothing(int seed)
    {
        string? wanted = Environment.GetEnvironmentVariable("FAULTLINE_STRESS_SECONDS");
        var duration = TimeSpan.FromSeconds(wanted is null ? 1 : double.Parse(wanted, CultureInfo.InvariantCulture));

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

    private sealed class Scene : IDisposable
    {
        private readonly ManagedEngine _engine;
        private readonly int _seed;
        private readonly IAddressSpace _space;
        private readonly IMemoryFile _file;
        private readonly IUserfaultfd _uffd;
        private readonly List<Thread> _threads = [];
        private readonly List<string> _failures = [];
        private readonly VirtualAddress _anonymous;
        private readonly VirtualAddress _shared;
        private readonly VirtualAddress _private;
        private volatile bool _isOver;
        private volatile bool _isMonitorOver;

        public Scene(ManagedEngine engine, int seed)
        {
            _engine = engine;
            _seed = seed;
            _space = engine.CreateAddressSpace().OrThrow("an address space");
            _file = engine.CreateMemoryFile(new MemoryFileOptions { Name = "stress", Size = AreaPages * Page, HugePages = true }).OrThrow("a memory file");
            const UserfaultfdFeatures Features = UserfaultfdFeatures.EventFork | UserfaultfdFeatures.EventRemove
                | UserfaultfdFeatures.EventRemap | UserfaultfdFeatures.EventUnmap;
            _uffd = UserfaultfdHandshake.Open(_space, Features).OrThrow("userfaultfd");
            _anonymous = Place(1, Anonymous);
            _shared = Place(2, MapRequest.SharedFile(_file, AreaPages * Page));
            _private = Place(3, MapRequest.PrivateFile(_file, AreaPages * Page));
        }

        private static MapRequest Anonymous
        {
            get
            {
                var request = MapRequest.PrivateAnonymous(AreaPages * Page);
                return request with { Options = request.Options | MapOptions.HugeTlb };
            }
        }

        private MapOptions More => _seed % 2 == 0 ? MapOptions.Fixed | MapOptions.NoReserve : MapOptions.Fixed;

        private VirtualAddress[] Areas => [_anonymous, _shared, _private];

        public void Run(TimeSpan duration)
        {
            Start(Monitor, 0);
            for (int i = 1; i <= 3; i++)
            {
                Start(Access, i);
            }

            Start(Fill, 10);
            Start(Change, 11);
            Start(Register, 12);
            Start(Forks, 13);
            var watch = Stopwatch.StartNew();
            SpinWait.SpinUntil(() => watch.Elapsed > duration || _failures.Count != 0, duration + Deadline);
            _isOver = true;

            // Sleepers go on when nothing is registered any more; the monitor reads until the last call is out.
            bool isQuiet = SpinWait.SpinUntil(UnregisterAndLook, Deadline);
            _isMonitorOver = true;
            Assert.True(isQuiet, "A thread did not come back.");
            Assert.True(_threads.TrueForAll(thread => thread.Join(Deadline)), "The monitor did not come back.");
            Assert.True(_failures.Count == 0, string.Join('\n', _failures));
        }

        public void Dispose()
        {
            _uffd.Dispose();
            _space.Dispose();
            _file.Dispose();
        }

        private bool UnregisterAndLook()
        {
            foreach (VirtualAddress area in Areas)
            {
                _uffd.Unregister(new AddressRange(area, AreaPages * Page));
                _uffd.Wake(new AddressRange(area, AreaPages * Page));
            }

            return _threads.Skip(1).All(thread => !thread.IsAlive);
        }

        private VirtualAddress Place(ulong number, MapRequest request) =>
            _space.Map(request with { Address = new VirtualAddress(number << 32), Options = request.Options | More }).OrThrow("mmap");

        /// <summary>What the old mapping had reserved, a child may have taken by now: then there is a hole for a while.</summary>
        private void PlaceAgain()
        {
            Errno errno = _space.Map(Anonymous with { Address = _anonymous, Options = Anonymous.Options | More }).Errno;
            Assert.True(errno is Errno.None or Errno.ENOMEM, $"mmap answered {errno}.");
        }

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

        private VirtualAddress AnyPage(Random random) => Areas[random.Next(3)] + ((ulong)random.Next((int)AreaPages) * Page);

        private AddressRange AnyRange(Random random)
        {
            VirtualAddress area = Areas[random.Next(3)];
            int first = random.Next((int)AreaPages);
            return new AddressRange(area + ((ulong)first * Page), (ulong)random.Next(1, (int)AreaPages - first + 1) * Page);
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

            var range = new AddressRange(message.Address, Page);
            FillResult filled = message.Kind switch
            {
                PageFaultKind.Missing => _uffd.Copy(message.Address, page),
                PageFaultKind.Minor => _uffd.Continue(range),
                _ => new FillResult(_uffd.WriteProtect(range, WriteProtectModes.None).Errno, 0),
            };
            if (filled.Errno == Errno.ENOMEM && random.Next(2) == 0)
            {
                // The pool is empty: whoever waits hears it from the page.
                _uffd.Poison(range);
            }

            _uffd.Wake(range);
        }

        private void Access(Random random)
        {
            using IMemoryAccess access = _space.OpenAccess().OrThrow("access");
            byte[] buffer = new byte[Page + PageSize.Small];
            while (!_isOver)
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
            while (!_isOver)
            {
                AddressRange range = AnyRange(random);
                var modes = (FillModes)random.Next(4);
                switch (random.Next(6))
                {
                    case 0:
                        _uffd.Copy(range.Start, bytes, modes);
                        break;
                    case 1:
                        _uffd.Continue(range, modes);
                        break;
                    case 2:
                        _uffd.Copy(range with { Length = Page }, AnyPage(random), modes);
                        break;
                    case 3:
                        _uffd.Poison(range with { Length = Page });
                        break;
                    case 4:
                        _uffd.WriteProtect(range, (WriteProtectModes)random.Next(2));
                        break;
                    default:
                        _uffd.Wake(range);
                        break;
                }
            }
        }

        private void Change(Random random)
        {
            while (!_isOver)
            {
                AddressRange range = AnyRange(random);
                ulong offset = (ulong)random.Next((int)(AreaPages * Page));
                switch (random.Next(9))
                {
                    case 0:
                        _space.Advise(range, Advice.DontNeed);
                        break;
                    case 1:
                        _space.Advise(range, Advice.Remove);
                        break;
                    case 2:
                        _space.Advise(range, Advice.PopulateWrite);
                        break;
                    case 3:
                        _space.Protect(range, Protections.Read);
                        _space.Protect(range, Protections.ReadWrite);
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
            if (_space.Remap(area, area.Length, Fixed, away).IsOk)
            {
                _space.Remap(new AddressRange(away, area.Length), area.Length, Fixed, _anonymous).OrThrow("mremap back", area);
            }
            else
            {
                // Registered in parts: several mappings cannot be moved as one. Fresh memory in its place then.
                PlaceAgain();
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

        private void Forks(Random random)
        {
            while (!_isOver)
            {
                using IAddressSpace child = _space.Fork().OrThrow("fork");
                using IMemoryAccess access = child.OpenAccess().OrThrow("access");
                for (int i = 0; i < 10 && !_isOver; i++)
                {
                    access.Store(AnyPage(random), 1);
                }
            }
        }
    }
}
