using System;
using System.Collections.Generic;

namespace Faultline.Paging;

/// <summary>What a <see cref="LatencyHistogram"/> has counted at one moment. Durations are in nanoseconds.</summary>
public sealed class LatencySnapshot
{
    private readonly long[] _counts;

    internal LatencySnapshot(long[] counts, long longest)
    {
        _counts = counts;
        Max = longest;
        foreach (long count in counts)
        {
            Count += count;
        }
    }

    /// <summary>Nothing counted.</summary>
    public static LatencySnapshot Empty { get; } = new([], 0);

    /// <summary>How many durations were counted.</summary>
    public long Count { get; }

    /// <summary>The longest.</summary>
    public long Max { get; }

    /// <summary>The median.</summary>
    public long P50 => Percentile(50);

    /// <summary>Ninety-nine of a hundred are not longer.</summary>
    public long P99 => Percentile(99);

    /// <summary>The duration that <paramref name="percent"/> per cent do not exceed, right to 6 %; zero if nothing was counted.</summary>
    /// <param name="percent">From 0 to 100.</param>
    public long Percentile(double percent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(percent);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percent, 100);
        long wanted = Math.Max(1, (long)Math.Ceiling(Count * percent / 100));
        long seen = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= wanted)
            {
                return Math.Min(LatencyHistogram.UpperBound(i), Max);
            }
        }

        return Max;
    }

    /// <summary>The buckets that counted something: the longest duration of each, and its count.</summary>
    public IEnumerable<KeyValuePair<long, long>> Buckets()
    {
        for (int i = 0; i < _counts.Length; i++)
        {
            if (_counts[i] != 0)
            {
                yield return new(LatencyHistogram.UpperBound(i), _counts[i]);
            }
        }
    }
}
