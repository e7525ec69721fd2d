using System;
using System.Collections.Generic;
using Faultline.Mm;
using Faultline.Sync.Scheduling;
using Faultline.Verification.Races;

namespace Faultline.Verification.Pagers;

#pragma warning disable CA1001 // Ended by Check or Cleanup, which the schedule calls when its threads have ended.
/// <summary>The world of one schedule of a <see cref="PagerTrial"/>.</summary>
public sealed class PagerBed
#pragma warning restore CA1001
{
    private const uint SwapPages = 64;

    private readonly ManagedEngine _engine;
    private readonly Troubles _troubles;
    private readonly List<SeamThread> _threads = [];
    private readonly List<IDisposable> _owned = [];
    private readonly List<IMemoryAccess> _accesses = [];
    private bool _isOver;

    internal PagerBed(PagerTrialOptions options)
    {
        _troubles = options.Troubles;
        _engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = options.MemoryBytes, Swap = new MemorySwapDevice(SwapPages) });
        Engine = new TroubledEngine(_engine);
    }

    /// <summary>The engine. Its pollers take the contexts of <see cref="Open"/> too.</summary>
    public IMemoryEngine Engine { get; }

    /// <summary>The schedule's clock, for <c>PagerOptions.TimeProvider</c>: it stands still while anybody can run.</summary>
    public static TimeProvider Clock => ScheduleClock.Instance;

    /// <summary>Requires something.</summary>
    /// <param name="condition">What must hold.</param>
    /// <param name="what">What is wrong if it does not.</param>
    public static void Require(bool condition, string what) => RaceBed.Require(condition, what);

    /// <summary>A page full of one word.</summary>
    /// <param name="word">The word.</param>
    /// <param name="pages">How many such pages.</param>
    public static byte[] Content(ulong word, int pages = 1) => RaceBed.Content(word, pages);

    /// <summary>
    /// Does what comes before the threads meet: of this no other order is looked at than one, which leaves the more schedules for what is looked at. Threads
    /// that it starts run until they sleep.
    /// </summary>
    /// <param name="setUp">What to do.</param>
    public static void Prepare(Action setUp) => Seam.Calmly(setUp);

    /// <summary>Starts a thread of the schedule. All are joined before the program's end counts.</summary>
    /// <param name="name">Its name, for messages.</param>
    /// <param name="body">What it does.</param>
    public SeamThread Start(string name, Action body)
    {
        SeamThread thread = Seam.Start(name, body);
        _threads.Add(thread);
        return thread;
    }

    /// <summary>Has something disposed, in the opposite order, when the program and its threads have ended.</summary>
    /// <param name="owned">The object.</param>
    /// <typeparam name="T">Its type.</typeparam>
    public T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    /// <summary>Makes the address space of a client.</summary>
    public IAddressSpace NewClient() => Own(Engine.CreateAddressSpace().OrThrow("creating an address space"));

    /// <summary>Maps memory.</summary>
    /// <param name="space">Where.</param>
    /// <param name="request">What.</param>
    public static AddressRange Map(IAddressSpace space, MapRequest request)
    {
        ArgumentNullException.ThrowIfNull(space);
        return new AddressRange(space.Map(in request).OrThrow("mmap"), request.Length);
    }

    /// <summary>Opens a userfaultfd, with the troubles of the trial.</summary>
    /// <param name="space">Of which address space.</param>
    /// <param name="features">What to ask for.</param>
    /// <param name="options">How it is opened; the pager needs NonBlocking.</param>
    public IUserfaultfd Open(IAddressSpace space, UserfaultfdFeatures features, UserfaultfdOptions options = UserfaultfdOptions.None)
    {
        ArgumentNullException.ThrowIfNull(space);
        IUserfaultfd inner = Own(space.OpenUserfaultfd(options).OrThrow("userfaultfd"));
        inner.Handshake(features).OrThrow("UFFDIO_API");
        return new TroubledUserfaultfd(inner, _troubles, (name, body) => Start(name, body));
    }

    /// <summary>Opens an accessor: the processor of one thread of a client.</summary>
    /// <param name="space">The client.</param>
    public IMemoryAccess Access(IAddressSpace space)
    {
        ArgumentNullException.ThrowIfNull(space);
        IMemoryAccess access = Own(space.OpenAccess().OrThrow("an accessor"));
        _accesses.Add(access);
        return access;
    }

    /// <summary>Loads a word, and requires that it could be read.</summary>
    /// <param name="access">Whose.</param>
    /// <param name="address">Where.</param>
    public static ulong Load(IMemoryAccess access, VirtualAddress address)
    {
        ArgumentNullException.ThrowIfNull(access);
        AccessResult result = access.Load(address, out ulong value);
        Require(result.IsOk, $"a load of {address} ended with {result.Fault}.");
        return value;
    }

    internal void Run(Action<PagerBed> program)
    {
        program(this);

        // A thread may start another one, so the list may grow.
        for (int i = 0; i < _threads.Count; i++)
        {
            _threads[i].Join();
        }

        Seam.Calmly(() =>
        {
            for (int i = _owned.Count - 1; i >= 0; i--)
            {
                _owned[i].Dispose();
            }
        });
    }

    internal void Check()
    {
        IReadOnlyList<string> violations = _engine.FindViolations();
        Require(violations.Count == 0, $"the engine does not add up: {string.Join("; ", violations)}");
        _engine.Dispose();
        _isOver = true;
    }

    internal void Cleanup()
    {
        if (_isOver)
        {
            return;
        }

        // Cut short with calls inside: nothing can be ended in order. What is outside the collector's reach goes; the rest it takes.
        foreach (IMemoryAccess access in _accesses)
        {
            access.Dispose();
        }

        _engine.System.Memory.Dispose();
    }
}
