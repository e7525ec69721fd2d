using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>
/// Real threads that do everything at once to one engine, by seed: fault, fill, truncate, punch, swap out, fork, remap, register, close.
/// Afterwards the engine is checked as a whole, and every frame must come back. Set FAULTLINE_STRESS_SECONDS for longer runs.
/// </summary>
public sealed class StressTests
{
    private const ulong Page = PageSize.Small;
    private const ulong AreaPages = 64;
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
        using var engine = new ManagedEngine(new ManagedEngineOptions
        {
            MemoryBytes = 128UL << 20,
            MemoryLimitBytes = LimitOf(seed),
            Swap = new MemorySwapDevice(8192),
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

    /// <summary>Every other seed is short of memory, so that reclaim runs all the time.</summary>
    private static ulong LimitOf(int seed) => seed % 2 == 0 ? 150 * Page : 0;

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
            _file = engine.CreateMemoryFile(new MemoryFileOptions { Name = "stress", Size = AreaPages * Page }).OrThrow("a memory file");
            const UserfaultfdFeatures Features = UserfaultfdFeatures.EventFork | UserfaultfdFeatures.EventRemove
                | UserfaultfdFeatures.EventRemap | UserfaultfdFeatures.EventUnmap;
            _uffd = UserfaultfdHandshake.Open(_space, Features).OrThrow("userfaultfd");
            _anonymous = Place(1, MapRequest.PrivateAnonymous(AreaPages * Page));
            _shared = Place(2, MapRequest.SharedFile(_file, AreaPages * Page));
            _private = Place(3, MapRequest.PrivateFile(_file, AreaPages * Page));
        }

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
            _space.Map(request with { Address = new VirtualAddress(number << 32), Options = request.Options | MapOptions.Fixed }).OrThrow("mmap");

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
            switch (message.Kind)
            {
                case PageFaultKind.Missing when random.Next(2) == 0:
                    _uffd.Zeropage(range);
                    break;
                case PageFaultKind.Missing:
                    _uffd.Copy(message.Address, page);
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
            byte[] buffer = new byte[3 * Page];
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

                // Short of memory, all of it may be busy for a moment.
                Assert.True(result.Fault != AccessFault.OutOfMemory || LimitOf(_seed) != 0);
            }
        }

        private void Fill(Random random)
        {
            byte[] bytes = new byte[4 * Page];
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
                        _uffd.Zeropage(range, modes & FillModes.DontWake);
                        break;
                    case 3:
                        _uffd.Poison(range with { Length = Page });
                        break;
                    case 4:
                        _uffd.WriteProtect(range, (WriteProtectModes)random.Next(2));
                        break;
                    default:
                        _uffd.Move(range.Start, AnyPage(random), Page, MoveModes.AllowSourceHoles);
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
                        _space.Advise(range, Advice.PageOut);
                        break;
                    case 3:
                        _space.Protect(range, Protections.Read);
                        _space.Protect(range, Protections.ReadWrite);
                        break;
                    case 4:
                        _file.PunchHole(offset, (ulong)random.Next(1, 20000));
                        break;
                    case 5:
                        _file.Truncate(offset);
                        _file.Truncate(AreaPages * Page);
                        break;
                    case 6:
                        _file.Allocate(offset, Page);
                        _file.Write(offset, new byte[100]);
                        break;
                    case 7:
                        MoveAway();
                        break;
                    default:
                        _space.Advise(range, Advice.GuardInstall);
                        _space.Advise(range, Advice.GuardRemove);
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
                Place(1, MapRequest.PrivateAnonymous(AreaPages * Page));
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
                for (int i = 0; i < 50 && !_isOver; i++)
                {
                    access.Store(AnyPage(random), 1);
                }
            }
        }
    }
}
