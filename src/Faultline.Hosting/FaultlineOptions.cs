using System;
using System.Collections.Generic;
using Faultline.Paging;

namespace Faultline.Hosting;

/// <summary>How a host's pager works; the section <c>Faultline</c> of its configuration. What is left out is as in <see cref="PagerOptions"/>.</summary>
public sealed class FaultlineOptions
{
    /// <summary>The section of the configuration.</summary>
    public const string Section = "Faultline";

    /// <summary>The name of <see cref="ClockEviction"/>.</summary>
    internal const string Clock = "Clock";

    private static readonly PagerOptions Usual = new();

    /// <summary>The engine.</summary>
    public HostedEngine Engine { get; set; }

    /// <summary>The memory of the managed engine in bytes; the kernel's has the machine's.</summary>
    public ulong ManagedMemoryBytes { get; set; } = 1UL << 30;

    /// <summary>The pager's name in metrics and messages.</summary>
    public string Name { get; set; } = Usual.Name;

    /// <summary>The number of threads that resolve faults.</summary>
    public int HandlerThreads { get; set; } = Usual.HandlerThreads;

    /// <summary>The size of one read of a store, in bytes.</summary>
    public int LoadBytes { get; set; } = Usual.LoadBytes;

    /// <summary>The most pages that one fault installs.</summary>
    public int NeighbourPages { get; set; } = Usual.NeighbourPages;

    /// <summary>How far reads grow when faults come in order, in bytes.</summary>
    public int SequentialWindowBytes { get; set; } = Usual.SequentialWindowBytes;

    /// <summary>How long anyone waits for a page.</summary>
    public TimeSpan LoadDeadline { get; set; } = Usual.LoadDeadline;

    /// <summary>The most bytes of an image kept in memory, or null for no limit.</summary>
    public ulong? BudgetBytes { get; set; }

    /// <summary>How much of the budget is kept free in the background, or null to choose by the budget; see <see cref="MemoryBudget.HeadroomBytes"/>.</summary>
    public ulong? BudgetHeadroomBytes { get; set; }

    /// <summary>What leaves memory first: <c>Clock</c>, or a name given to <see cref="FaultlineBuilder.AddEvictionPolicy"/>.</summary>
    public string EvictionPolicy { get; set; } = Clock;

    /// <summary>How writes to the mapped images are noticed, for <see cref="DirtyTracker"/> and <see cref="MemorySnapshot"/>.</summary>
    public DirtyTracking Tracking { get; set; } = Usual.Tracking;

    /// <summary>How pages are guessed that will be wanted next.</summary>
    public HostedPrefetchOptions Prefetch { get; } = new();

    /// <summary>How long the end of the host waits for those who use images.</summary>
    public TimeSpan StopDeadline { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What becomes, at the end, of pages that clients in other processes have not got.</summary>
    public DetachPolicy DetachPolicy { get; set; } = DetachPolicy.Poison;

    /// <summary>How long a look at the health waits for a store, and for the fault loop.</summary>
    public TimeSpan HealthDeadline { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The images to open, by name.</summary>
    public IDictionary<string, HostedImageOptions> Images { get; } = new Dictionary<string, HostedImageOptions>(StringComparer.Ordinal);

    /// <summary>The part that the pager itself takes. A policy that the host knows by name is not in it.</summary>
    public PagerOptions ToPagerOptions() => new()
    {
        Name = Name,
        HandlerThreads = HandlerThreads,
        LoadBytes = LoadBytes,
        NeighbourPages = NeighbourPages,
        SequentialWindowBytes = SequentialWindowBytes,
        LoadDeadline = LoadDeadline,
        Budget = BudgetBytes is { } bytes ? new MemoryBudget(bytes) { HeadroomBytes = BudgetHeadroomBytes } : null,
        Tracking = Tracking,
        Prefetch = Prefetch.ToPrefetchOptions(),
    };
}
