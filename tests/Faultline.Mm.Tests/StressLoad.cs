using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>
/// What the stress tests share: an address space, a userfaultfd, threads whose exceptions are the finding, a monitor that reads until the last call is
/// out, and an end that everybody comes back from.
/// </summary>
internal abstract class StressLoad : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    private readonly Random _seeds;
    private readonly List<string> _failures = [];
    private readonly List<Thread> _threads = [];
    private volatile bool _isOver;
    private volatile bool _isMonitorOver;

    /// <param name="engine">The engine.</param>
    /// <param name="seed">The seed of all that is random.</param>
    /// <param name="features">What the userfaultfd is opened with.</param>
    protected StressLoad(ManagedEngine engine, int seed, UserfaultfdFeatures features)
    {
        Engine = engine;
        _seeds = new Random(seed);
        Space = engine.CreateAddressSpace().OrThrow("an address space");
        Userfaultfd = UserfaultfdHandshake.Open(Space, features).OrThrow("userfaultfd");
    }

    /// <summary>The engine under stress.</summary>
    protected ManagedEngine Engine { get; }

    /// <summary>The address space that everything happens in.</summary>
    protected IAddressSpace Space { get; }

    /// <summary>Its userfaultfd.</summary>
    protected IUserfaultfd Userfaultfd { get; }

    /// <summary>Whether the threads should end.</summary>
    protected bool IsOver => _isOver;

    /// <summary>What a mapping is made with in addition.</summary>
    protected virtual MapOptions PlaceOptions => MapOptions.Fixed;

    /// <summary>What the threads do, one for each.</summary>
    protected abstract IReadOnlyList<Action<Random>> Bodies { get; }

    /// <summary>The areas that may be registered, in which threads may sleep.</summary>
    protected abstract IEnumerable<AddressRange> Areas { get; }

    /// <summary>Whether enough has happened; a busy machine gets more time until it has.</summary>
    protected virtual bool HasSeenEnough => true;

    /// <summary>How long a seed runs: FAULTLINE_STRESS_SECONDS.</summary>
    public static TimeSpan DurationOr(TimeSpan usual)
    {
        string? wanted = Environment.GetEnvironmentVariable("FAULTLINE_STRESS_SECONDS");
        return wanted is null ? usual : TimeSpan.FromSeconds(double.Parse(wanted, CultureInfo.InvariantCulture));
    }

    /// <summary>Lets all threads loose for a while. Afterwards nobody is inside a call, and nothing is registered.</summary>
    public void Run(TimeSpan duration)
    {
        _isOver = false;
        _isMonitorOver = false;
        _threads.Clear();
        Thread monitor = Start(Monitor);
        foreach (Action<Random> body in Bodies)
        {
            _threads.Add(Start(body));
        }

        var watch = Stopwatch.StartNew();
        SpinWait.SpinUntil(() => (watch.Elapsed > duration && HasSeenEnough) || _failures.Count != 0, duration + Deadline);
        _isOver = true;

        // Sleepers go on when nothing is registered any more.
        bool isQuiet = SpinWait.SpinUntil(UnregisterAndLook, Deadline);
        _isMonitorOver = true;
        Assert.True(isQuiet, $"Did not come back: {string.Join(", ", _threads.Where(thread => thread.IsAlive).Select(thread => thread.Name))}.");
        Assert.True(monitor.Join(Deadline), "The monitor did not come back.");
        Assert.True(_failures.Count == 0, string.Join('\n', _failures));
        Assert.True(HasSeenEnough, "What the load is for did not happen.");
    }

    public void Dispose()
    {
        Userfaultfd.Dispose();
        Space.Dispose();
        DisposeFiles();
    }

    /// <summary>Ends what the load made itself.</summary>
    protected abstract void DisposeFiles();

    /// <summary>Answers a fault, or takes note of an event other than fork.</summary>
    protected abstract void Answer(in UserfaultfdMessage message, Random random);

    /// <summary>Some pages of one area.</summary>
    protected abstract AddressRange AnyRange(Random random);

    /// <summary>Registers ranges in any mode, and takes them back. A body.</summary>
    protected void Register(Random random)
    {
        while (!IsOver)
        {
            AddressRange range = AnyRange(random);
            if (random.Next(2) == 0)
            {
                Userfaultfd.Register(range, (RegisterModes)random.Next(1, 8));
            }
            else
            {
                Userfaultfd.Unregister(range);
                Userfaultfd.Wake(range);
            }

            Thread.Yield();
        }
    }

    /// <summary>Maps an area at a place that its number names.</summary>
    protected VirtualAddress Place(ulong number, MapRequest request) => TryPlace(number, request).OrThrow("mmap");

    /// <summary>The same, where it may fail.</summary>
    protected SystemResult<VirtualAddress> TryPlace(ulong number, MapRequest request) =>
        Space.Map(request with { Address = new VirtualAddress(number << 32), Options = request.Options | PlaceOptions });

    private bool UnregisterAndLook()
    {
        foreach (AddressRange area in Areas)
        {
            Userfaultfd.Unregister(area);
            Userfaultfd.Wake(area);
        }

        return _threads.TrueForAll(thread => !thread.IsAlive);
    }

    private Thread Start(Action<Random> body)
    {
        var random = new Random(_seeds.Next());
        var thread = new Thread(() => Guarded(body, random)) { IsBackground = true, Name = body.Method.Name };
        thread.Start();
        return thread;
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

    /// <summary>Answers faults and reads events, as a pager would.</summary>
    private void Monitor(Random random)
    {
        var messages = new UserfaultfdMessage[16];
        while (!_isMonitorOver)
        {
            SystemResult<int> read = Userfaultfd.Read(messages);
            if (read.Errno == Errno.EAGAIN)
            {
                Thread.Yield();
                continue;
            }

            for (int i = 0; i < read.OrThrow("read"); i++)
            {
                if (messages[i].Event == UserfaultfdEvent.Fork)
                {
                    messages[i].Forked!.Dispose();
                }
                else if (messages[i].Event == UserfaultfdEvent.PageFault)
                {
                    Answer(messages[i], random);
                }
            }
        }
    }
}
