using System;
using Microsoft.Extensions.Logging;

namespace Faultline.Paging;

/// <summary>How a <see cref="Pager"/> works.</summary>
public sealed record PagerOptions
{
    /// <summary>The number of dedicated threads that resolve faults.</summary>
    public int HandlerThreads { get; init; } = 2;

    /// <summary>The size of one read of a store, in bytes: a power of two, at least a page.</summary>
    public int LoadBytes { get; init; } = 64 << 10;

    /// <summary>The most pages that one fault installs: it, and neighbours that are cached already, in a window aligned to this number (a
    /// power of two). More than one grows when faults come in order, as <see cref="SequentialWindowBytes"/> says.</summary>
    public int NeighbourPages { get; init; } = 16;

    /// <summary>How far reads of a store, and what one fault installs, grow when faults come in order, in bytes: a power of two, at least
    /// <see cref="LoadBytes"/>. Equal to it, they do not grow.</summary>
    public int SequentialWindowBytes { get; init; } = 512 << 10;

    /// <summary>How long a client waits for a page; then the page is an error there.</summary>
    public TimeSpan LoadDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How much of each image is kept in memory, and what leaves it; null for no limit.</summary>
    public MemoryBudget? Budget { get; init; }

    /// <summary>The size of <see cref="Budget"/> alone, the rest of it as it is by default.</summary>
    public ulong? BudgetBytes
    {
        get => Budget?.Bytes;
        init => Budget = value is { } bytes ? new MemoryBudget(bytes) : null;
    }

    /// <summary>The name in metrics and messages. A second pager of the same name in this process gets a number behind it.</summary>
    public string Name { get; init; } = "pager";

    /// <summary>Where messages go, or null for nowhere. Their category is <see cref="PagingTelemetry.LogCategory"/>.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>How <see cref="DirtyTracker"/> notices writes to memory of <see cref="Pager.Map(PagedImage, PagedMapping)"/>. A snapshot needs
    /// <see cref="DirtyTracking.Synchronous"/>.</summary>
    public DirtyTracking Tracking { get; init; } = DirtyTracking.Synchronous;

    /// <summary>How pages are guessed that will be wanted next.</summary>
    public PrefetchOptions Prefetch { get; init; } = new();

    /// <summary>The clock of deadlines and latencies.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Throws if a value makes no sense.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    public void Validate()
    {
        Require(HandlerThreads is >= 1 and <= 256, $"HandlerThreads is {HandlerThreads}; it must be from 1 to 256.");
        Require(
            LoadBytes is >= (int)PageSize.Small and <= 64 << 20 && int.IsPow2(LoadBytes),
            $"LoadBytes is {LoadBytes}; it must be a power of two from 4 KiB to 64 MiB.");
        Require(
            NeighbourPages is >= 1 and <= 1 << 16 && int.IsPow2(NeighbourPages),
            $"NeighbourPages is {NeighbourPages}; it must be a power of two from 1 to 65,536.");
        Require(
            SequentialWindowBytes >= LoadBytes && SequentialWindowBytes <= 256 << 20 && int.IsPow2(SequentialWindowBytes),
            $"SequentialWindowBytes is {SequentialWindowBytes}; it must be a power of two from LoadBytes to 256 MiB.");
        Require(
            LoadDeadline > TimeSpan.Zero && LoadDeadline <= TimeSpan.FromDays(1),
            $"LoadDeadline is {LoadDeadline}; it must be more than nothing, and at most a day.");
        string? fault = Budget?.Fault(LoadBytes);
        Require(fault is null, fault ?? "");
        Require(!string.IsNullOrEmpty(Name), "Name is empty; leave it out for 'pager'.");
        Require(Prefetch is not null, "Prefetch is null; PrefetchOptions.Off guesses nothing.");
        Require(Prefetch!.Complaint() is null, Prefetch.Complaint() ?? "");
        Require(TimeProvider is not null, "TimeProvider is null; leave it out for the system's.");
    }

    private static void Require(bool options, string message)
    {
        if (!options)
        {
            throw new ArgumentException(message, nameof(options));
        }
    }
}
