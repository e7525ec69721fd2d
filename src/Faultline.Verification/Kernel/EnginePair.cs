using System;
using System.Diagnostics;
using System.Threading;
using Faultline.Linux;
using Faultline.Linux.Machine;
using Faultline.Mm;

namespace Faultline.Verification.Kernel;

/// <summary>The two engines of one worker, and their actors, which outlive programs.</summary>
internal sealed class EnginePair : IDisposable
{
    /// <summary>How many huge pages the programs of one worker may use: more than any of them needs.</summary>
    internal const int HugePages = 40;

    // With room for what programs map besides huge pages.
    private const ulong ManagedMemory = (HugePages * PageSize.Huge) + (64UL << 20);
    private const uint SwapPages = 16384;

    /// <summary>Longer than any step takes, its actors included, also where others leave it little of the processor or of the swap file's disk.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly PageVectors _vectors = new();
    private readonly Timer _watchdog;
    private PairRun? _current;
    private SpareSpace? _spare;

    public EnginePair(InstallRuleVersion rule = InstallRuleVersion.Linux618)
    {
        _watchdog = new Timer(static pair => ((EnginePair)pair!).Watch(), this, 1000, 1000);
        Linux = new LinuxEngine();
        Managed = new ManagedEngine(new ManagedEngineOptions
        {
            MemoryBytes = ManagedMemory,
            Swap = new MemorySwapDevice(SwapPages),
            HugePages = HugePages,
            InstallRule = rule,
        });
    }

    /// <summary>The run under way: a call that does not come back, as the kernel had them, must not end the fuzzer.</summary>
    public PairRun? Current
    {
        set => Volatile.Write(ref _current, value);
    }

    /// <summary>
    /// The processors of this process, if the thread that runs programs is bound to one of them, the first here: its address spaces are bound to that too.
    /// </summary>
    public int[] Processors { get; init; } = [];

    public LinuxEngine Linux { get; }

    public ManagedEngine Managed { get; }

    /// <summary>Room for what the run under way sees.</summary>
    public SideObservation LinuxSeen { get; } = new();

    public SideObservation ManagedSeen { get; } = new();

    public Actor?[] LinuxActors { get; } = new Actor?[Arena.Actors];

    public Actor?[] ManagedActors { get; } = new Actor?[Arena.Actors];

    /// <summary>An address space that a program before left, or null.</summary>
    public SpareSpace? TakeSpare()
    {
        SpareSpace? spare = _spare;
        _spare = null;
        return spare;
    }

    public void GiveSpare(SpareSpace? spare)
    {
        _spare?.Dispose();
        _spare = spare;
    }

    /// <summary>Lets the kernel page out what it could not, because it was on its way to its lists.</summary>
    public void DrainPageVectors() => _vectors.Drain();

    public void Dispose()
    {
        _vectors.Dispose();
        _spare?.Dispose();
        foreach (Actor? actor in (ReadOnlySpan<Actor?>)[.. LinuxActors, .. ManagedActors])
        {
            actor?.Dispose();
        }

        _watchdog.Dispose();
        Linux.Dispose();
        Managed.Dispose();
    }

    private void Watch()
    {
        if (Volatile.Read(ref _current) is { } run && run.Began is var began and not 0 && Stopwatch.GetElapsedTime(began) > Patience)
        {
            run.GiveUp();
        }
    }
}
