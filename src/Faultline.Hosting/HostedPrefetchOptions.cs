using System;
using Faultline.Paging;

namespace Faultline.Hosting;

/// <summary>How a host's pager guesses what will be wanted next. What is left out is as in <see cref="PrefetchOptions"/>.</summary>
public sealed class HostedPrefetchOptions
{
    private static readonly PrefetchOptions Usual = new();

    /// <summary>The loads of one image under way, wanted ones included, beyond which no guess is begun. Zero guesses nothing.</summary>
    public int LoadsAtOnce { get; set; } = Usual.LoadsAtOnce;

    /// <summary>How far ahead of one stream guesses reach at the most, in bytes.</summary>
    public int AheadBytes { get; set; } = Usual.AheadBytes;

    /// <summary>The streams told apart in one image.</summary>
    public int Streams { get; set; } = Usual.Streams;

    /// <summary>The longest stride that is recognised, in bytes.</summary>
    public int LongestStrideBytes { get; set; } = Usual.LongestStrideBytes;

    /// <summary>Guesses that may wait for their turn.</summary>
    public int QueuedGuesses { get; set; } = Usual.QueuedGuesses;

    /// <summary>Stores that answer faster, on average, are not guessed for.</summary>
    public TimeSpan LeastLatency { get; set; } = Usual.LeastLatency;

    internal PrefetchOptions ToPrefetchOptions() => new()
    {
        LoadsAtOnce = LoadsAtOnce,
        AheadBytes = AheadBytes,
        Streams = Streams,
        LongestStrideBytes = LongestStrideBytes,
        QueuedGuesses = QueuedGuesses,
        LeastLatency = LeastLatency,
    };
}
