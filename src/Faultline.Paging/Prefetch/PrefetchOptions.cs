using System;

namespace Faultline.Paging;

/// <summary>
/// How a pager guesses which pages of an image will be wanted next, and brings them before they are. Guesses are in nobody's way: a wanted page is
/// read at once, whatever is queued, and guesses use only what is left of <see cref="LoadsAtOnce"/> and of the budget.
/// </summary>
public sealed record PrefetchOptions
{
    /// <summary>No guessing.</summary>
    public static PrefetchOptions Off { get; } = new() { LoadsAtOnce = 0 };

    /// <summary>The loads of one image under way, wanted ones included, beyond which no guess is begun; guesses take three quarters of them at the
    /// most. A store that works on fewer at a time (<see cref="IPageStore.ReadsAtOnce"/>) lowers it. Zero guesses nothing.</summary>
    public int LoadsAtOnce { get; init; } = 16;

    /// <summary>How far ahead of one stream guesses reach at the most, in bytes. They begin with two loads, double with each guess that was right, to no more
    /// than the stream is long, and shrink by a quarter with each that came to nothing.</summary>
    public int AheadBytes { get; init; } = 8 << 20;

    /// <summary>The streams told apart in one region: forward, backward, or with a stride.</summary>
    public int Streams { get; init; } = 8;

    /// <summary>The longest stride that is recognised, in bytes.</summary>
    public int LongestStrideBytes { get; init; } = 16 << 20;

    /// <summary>Guesses that may wait for their turn; more are not made.</summary>
    public int QueuedGuesses { get; init; } = 64;

    /// <summary>Stores that answer faster, on average, are not guessed for, nor are those that answer at once, as files do: a fault costs less than the
    /// guess.</summary>
    public TimeSpan LeastLatency { get; init; } = TimeSpan.FromMicroseconds(200);

    /// <summary>Why a value makes no sense, or null.</summary>
    internal string? Complaint() =>
        LoadsAtOnce is < 0 or > 1024 ? $"Prefetch.LoadsAtOnce is {LoadsAtOnce}; it must be from 0 to 1,024."
        : AheadBytes is < (int)PageSize.Small or > 1 << 30 ? $"Prefetch.AheadBytes is {AheadBytes}; it must be from 4 KiB to 1 GiB."
        : Streams is < 1 or > 64 ? $"Prefetch.Streams is {Streams}; it must be from 1 to 64."
        : LongestStrideBytes is < (int)PageSize.Small or > 1 << 30 ? $"Prefetch.LongestStrideBytes is {LongestStrideBytes}; it must be from 4 KiB to 1 GiB."
        : QueuedGuesses is < 1 or > 1 << 16 ? $"Prefetch.QueuedGuesses is {QueuedGuesses}; it must be from 1 to 65,536."
        : LeastLatency < TimeSpan.Zero ? $"Prefetch.LeastLatency is {LeastLatency}; it must not be negative."
        : null;
}
