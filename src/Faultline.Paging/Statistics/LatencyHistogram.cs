using System;
using System.Numerics;
using System.Threading;

namespace Faultline.Paging;

/// <summary>
/// Counts durations in log-linear buckets: sixteen to each doubling, so that a percentile is right to 6 %. Recording takes no lock and
/// allocates nothing.
/// </summary>
public sealed class LatencyHistogram
{
    internal const int SubBucketBits = 4;
    internal const int SubBuckets = 1 << SubBucketBits;

    /// <summary>Up to 2^44 ns, almost five hours; longer durations count as that.</summary>
    internal const int Buckets = (44 - SubBucketBits + 1) * SubBuckets;

    private readonly long[] _counts = new long[Buckets];

    /// <summary>The longest duration recorded, in nanoseconds.</summary>
    private long _longest;

    /// <summary>Counts one duration.</summary>
    /// <param name="nanoseconds">The duration; negative counts as zero.</param>
    public void Record(long nanoseconds)
    {
        ulong value = (ulong)Math.Max(0, nanoseconds);
        Interlocked.Increment(ref _counts[BucketOf(value)]);
        RaiseLongest(nanoseconds);
    }

    /// <summary>What has been counted so far.</summary>
    public LatencySnapshot Snapshot()
    {
        long[] counts = new long[Buckets];
        AddTo(counts);
        return new LatencySnapshot(counts, Volatile.Read(ref _longest));
    }

    internal long Longest => Volatile.Read(ref _longest);

    internal void AddTo(long[] counts)
    {
        for (int i = 0; i < Buckets; i++)
        {
            counts[i] += Volatile.Read(ref _counts[i]);
        }
    }

    /// <summary>Adds what another has counted.</summary>
    internal void Absorb(LatencyHistogram other)
    {
        for (int i = 0; i < Buckets; i++)
        {
            long count = Volatile.Read(ref other._counts[i]);
            if (count != 0)
            {
                Interlocked.Add(ref _counts[i], count);
            }
        }

        RaiseLongest(other.Longest);
    }

    internal static int BucketOf(ulong nanoseconds)
    {
        if (nanoseconds < SubBuckets)
        {
            return (int)nanoseconds;
        }

        int shift = BitOperations.Log2(nanoseconds) - SubBucketBits;
        int bucket = ((shift + 1) << SubBucketBits) + (int)(nanoseconds >> shift) - SubBuckets;
        return Math.Min(bucket, Buckets - 1);
    }

    private void RaiseLongest(long nanoseconds)
    {
        long seen = Volatile.Read(ref _longest);
        while (nanoseconds > seen)
        {
            long before = Interlocked.CompareExchange(ref _longest, nanoseconds, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }

    /// <summary>The longest duration that falls into a bucket, in nanoseconds.</summary>
    internal static long UpperBound(int bucket)
    {
        if (bucket < SubBuckets)
        {
            return bucket;
        }

        int shift = (bucket >> SubBucketBits) - 1;
        long first = (long)((bucket & (SubBuckets - 1)) + SubBuckets) << shift;
        return first + (1L << shift) - 1;
    }
}
