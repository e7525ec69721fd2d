using System;
using System.Collections.Generic;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>
/// Memory runs out at every allocation of every call in turn: each call answers with an error that it documents or succeeds, nothing half done stays,
/// and nothing is lost.
/// </summary>
public sealed class OutOfMemoryTests : IDisposable
{
    private const ulong Page = PageSize.Small;
    private const ulong Memory = 32UL << 20;
    private const ulong FarAway = 0x40_0000_0000;

    private readonly FaultySwapDevice _swap = new(64);
    private readonly ManagedEngine _engine;
    private readonly IMemoryFile _ballast;
    private readonly long _framesAtStart;

    public OutOfMemoryTests()
    {
        _engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = Memory, Swap = _swap });
        _ballast = _engine.CreateMemoryFile(new MemoryFileOptions { Name = "ballast", Size = Memory }).OrThrow("a file");
        _ballast.Allocate(0, Memory - (ulong)(_engine.FramesInUse * (long)Page) - (200 * Page)).OrThrow("fallocate");
        _framesAtStart = _engine.FramesInUse;
    }

    /// <summary>The calls, by name.</summary>
    public static TheoryData<string> Calls => [.. Bodies.Keys];

    private static Dictionary<string, Func<Scene, Errno>> Bodies { get; } = new(StringComparer.Ordinal)
    {
        ["fork"] = scene => scene.Fork(),
        ["store"] = scene => ErrnoOf(scene.Access.Store(scene.Anonymous, 1)),
        ["store to a shared page"] = scene => ErrnoOf(scene.Access.Store(scene.SharedHole, 1)),
        ["store to a private page"] = scene => ErrnoOf(scene.Access.Store(scene.PrivateCached, 1)),
        ["load of a swapped page"] = scene => ErrnoOf(scene.Access.Load(scene.Swapped, out _)),
        ["COPY to anonymous memory"] = scene => scene.Uffd.Copy(scene.Watched, new byte[3 * Page]).Errno,
        ["COPY to a file"] = scene => scene.Uffd.Copy(scene.WatchedShared, new byte[3 * Page]).Errno,
        ["ZEROPAGE of a file"] = scene => scene.Uffd.Zeropage(new AddressRange(scene.WatchedShared, 3 * Page)).Errno,
        ["CONTINUE"] = scene => scene.Uffd.Continue(new AddressRange(scene.WatchedShared + (4 * Page), 4 * Page)).Errno,
        ["POISON"] = scene => scene.Uffd.Poison(new AddressRange(scene.Watched, 3 * Page)).Errno,
        ["WRITEPROTECT"] = scene => scene.Uffd.WriteProtect(new AddressRange(scene.WatchedShared, 8 * Page), WriteProtectModes.Protect).Errno,
        ["MOVE"] = scene => scene.Uffd.Move(scene.Watched, scene.Filled, 2 * Page).Errno,
        ["mremap"] = scene => scene.Remap(),
        ["populate"] = scene => scene.Space.Advise(new AddressRange(scene.Anonymous, 8 * Page), Advice.PopulateWrite).Errno,
        ["mlock"] = scene => scene.Space.Lock(new AddressRange(scene.Anonymous, 8 * Page)).Errno,
        ["guard"] = scene => scene.Space.Advise(new AddressRange(scene.Anonymous, 8 * Page), Advice.GuardInstall).Errno,
        ["write"] = scene => scene.File.Write(40 * Page, new byte[3 * Page]).Errno,
        ["fallocate"] = scene => scene.File.Allocate(40 * Page, 8 * Page).Errno,
        ["a new address space"] = scene => scene.NewSpace(),
    };

    public void Dispose()
    {
        _ballast.Dispose();
        _engine.Dispose();
    }

    [Theory]
    [Regression(35)]
    [Regression(44)]
    [MemberData(nameof(Calls))]
    public void AnyCall_MemoryEndsAtEachAllocation_AnswersAndNothingIsLost(string call)
    {
        const int Enough = 3;
        bool hasFailed = false;
        int succeeded = 0;
        for (int left = 0; left < 48 && succeeded < Enough; left++)
        {
            using (var scene = new Scene(_engine))
            {

                // Reclaim gets nothing, so that the very allocation fails.
                _swap.FailsWrites = true;
                scene.UseUpMemory(left);
                Errno errno = Bodies[call](scene);
                Assert.True(errno is Errno.None or Errno.ENOMEM or Errno.ENOSPC or Errno.EAGAIN, $"With {left} frames left {call} answered {errno}.");
                hasFailed |= errno != Errno.None;
                succeeded += errno == Errno.None ? 1 : 0;
                scene.GiveBackMemory();
                _swap.FailsWrites = false;
                Assert.Equal(Errno.None, errno == Errno.None ? Errno.None : scene.AgainWithMemory(Bodies[call]));
                AssertAddsUp(call, left);
            }

            Assert.Equal(_framesAtStart, _engine.FramesInUse);
        }

        Assert.Equal(Enough, succeeded);
        Assert.True(hasFailed, $"{call} never ran out of memory: it does not belong here.");
    }

    private static Errno ErrnoOf(AccessResult result) => result.Fault switch
    {
        AccessFault.None => Errno.None,
        AccessFault.OutOfMemory => Errno.ENOMEM,
        _ => Errno.EFAULT,
    };

    private void AssertAddsUp(string call, int left)
    {
        IReadOnlyList<string> violations = _engine.FindViolations();
        Assert.True(violations.Count == 0, $"After {call} with {left} frames left: {string.Join('\n', violations)}");
    }

    /// <summary>An address space with something of every kind, each in a table of its own; and a file that takes all memory but a few frames.</summary>
    private sealed class Scene : IDisposable
    {
        private readonly ManagedEngine _engine;
        private readonly IMemoryFile _hog;

        public Scene(ManagedEngine engine)
        {
            _engine = engine;
            Space = engine.CreateAddressSpace().OrThrow("an address space");
            File = engine.CreateMemoryFile(new MemoryFileOptions { Name = "scene", Size = 64 * Page }).OrThrow("a file");
            _hog = engine.CreateMemoryFile(new MemoryFileOptions { Name = "hog", Size = 1UL << 30 }).OrThrow("a file");
            Access = Space.OpenAccess().OrThrow("access");
            Uffd = UserfaultfdHandshake.Open(Space, UserfaultfdFeatures.EventFork | UserfaultfdFeatures.EventRemap).OrThrow("userfaultfd");
            Filled = Place(1, MapRequest.PrivateAnonymous(4 * Page));
            Swapped = Place(2, MapRequest.PrivateAnonymous(Page));
            Anonymous = Place(3, MapRequest.PrivateAnonymous(8 * Page));
            SharedHole = Place(4, MapRequest.SharedFile(File, 8 * Page, 16 * Page));
            PrivateCached = Place(5, MapRequest.PrivateFile(File, 8 * Page));
            Watched = Place(6, MapRequest.PrivateAnonymous(8 * Page));
            WatchedShared = Place(7, MapRequest.SharedFile(File, 8 * Page, 24 * Page));
            File.Write(0, new byte[Page]).OrThrow("write");
            File.Write(28 * Page, new byte[4 * Page]).OrThrow("write");
            for (ulong page = 0; page < 4; page++)
            {
                Assert.True(Access.Store(Filled + (page * Page), page).IsOk);
            }

            Assert.True(Access.Store(Swapped, 7).IsOk);
            Space.Advise(new AddressRange(Swapped, Page), Advice.PageOut).OrThrow("madvise");
            Assert.True(Uffd.Register(new AddressRange(Filled, 4 * Page), RegisterModes.WriteProtect).IsOk);
            Assert.True(Uffd.Register(new AddressRange(Watched, 8 * Page), RegisterModes.Missing).IsOk);
            Assert.True(Uffd.Register(new AddressRange(WatchedShared, 8 * Page), RegisterModes.Missing | RegisterModes.WriteProtect).IsOk);
        }

        public IAddressSpace Space { get; }

        public IMemoryFile File { get; }

        public IMemoryAccess Access { get; }

        public IUserfaultfd Uffd { get; }

        public VirtualAddress Filled { get; }

        public VirtualAddress Swapped { get; }

        public VirtualAddress Anonymous { get; }

        public VirtualAddress SharedHole { get; }

        public VirtualAddress PrivateCached { get; }

        public VirtualAddress Watched { get; }

        public VirtualAddress WatchedShared { get; }

        /// <summary>Takes all memory but a few frames.</summary>
        public void UseUpMemory(int leave)
        {
            ulong taken = 0;
            while (_hog.Allocate(taken * Page, Page).IsOk)
            {
                taken++;
            }

            Assert.True(taken > (ulong)leave);
            _hog.Truncate((taken - (ulong)leave) * Page).OrThrow("ftruncate");
        }

        public void GiveBackMemory() => _hog.Truncate(0).OrThrow("ftruncate");

        /// <summary>The call succeeds when there is memory, whatever the failed one left behind; fills may find their first pages done.</summary>
        public Errno AgainWithMemory(Func<Scene, Errno> call)
        {
            Errno errno = call(this);
            return errno == Errno.EEXIST ? Errno.None : errno;
        }

        public Errno Fork()
        {
            (SystemResult<IAddressSpace> result, UserfaultfdMessage message) = WithItsEvent(Space.Fork, result => result.IsOk);
            message.Forked?.Dispose();
            result.Value?.Dispose();
            return result.Errno;
        }

        public Errno Remap()
        {
            VirtualAddress target = new(3 * FarAway);
            var range = new AddressRange(Filled, 4 * Page);
            return WithItsEvent(() => Space.Remap(range, range.Length, RemapOptions.MayMove | RemapOptions.Fixed, target), result => result.IsOk).Result.Errno;
        }

        public Errno NewSpace()
        {
            SystemResult<IAddressSpace> made = _engine.CreateAddressSpace();
            made.Value?.Dispose();
            return made.Errno;
        }

        public void Dispose()
        {
            Access.Dispose();
            Uffd.Dispose();
            Space.Dispose();
            File.Dispose();
            _hog.Dispose();
        }

        /// <summary>The event is read by this thread while another makes the call. A call that fails tells nobody, and leaves the counter at zero.</summary>
        private (T Result, UserfaultfdMessage Message) WithItsEvent<T>(Func<T> call, Func<T, bool> hasEvent)
        {
            PendingWork<T> work = new("a call with an event", call);
            var messages = new UserfaultfdMessage[1];
            Testbed.Until("the call is over or its event is there", () => work.IsDone || Uffd.Read(messages).IsOk);
            T result = work.Await();
            Assert.Equal(hasEvent(result), messages[0].Event is UserfaultfdEvent.Fork or UserfaultfdEvent.Remap);
            Assert.Equal(Errno.EAGAIN, Uffd.Read(new UserfaultfdMessage[1]).Errno);
            Assert.False(Uffd.Zeropage(new AddressRange(Watched + (7 * Page), Page)).IsChanging);
            return (result, messages[0]);
        }

        private VirtualAddress Place(ulong number, MapRequest request) => Space
            .Map(request with { Address = new VirtualAddress((number << 30) + FarAway), Options = request.Options | MapOptions.Fixed }).OrThrow("mmap");
    }
}
