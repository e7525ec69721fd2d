using System;
using System.Collections.Generic;
using System.Linq;
using System.Numerics;
using Faultline.Cli.Restore;
using Faultline.Paging;

namespace Faultline.Cli.Processes;

/// <summary>Reads a pager's counters, for the live view and for the end of a run.</summary>
internal static class PagerReports
{
    /// <summary>What was done for clients whose names are those of clones.</summary>
    public static PagerReport Of(Pager pager, IReadOnlyList<PagerClient> clients, int clones)
    {
        long[] minor = new long[clones];
        long[] missing = new long[clones];
        long[] installed = new long[clones];
        foreach (PagerClient client in clients)
        {
            int clone = CloneName.Parse(client.Name);
            if (clone >= 0 && clone < clones)
            {
                PagerStatistics own = client.GetStatistics();
                minor[clone] = own.MinorFaults;
                missing[clone] = own.MissingFaults;
                installed[clone] = own.PagesContinued + own.PagesCopied + own.PagesZeroed;
            }
        }

        PagerStatistics all = pager.GetStatistics();
        return new PagerReport
        {
            IsLast = false,
            MinorFaults = minor.Sum(),
            MissingFaults = missing.Sum(),
            StoreBytes = all.StoreBytes,
            StoreReads = all.StoreReads,
            PagesGuessed = all.PagesGuessed,
            PagesGuessedUsed = all.PagesGuessedUsed,
            LoadsAvoided = all.LoadsAvoided,
            CloneMinorFaults = minor,
            CloneMissingFaults = missing,
            CloneInstalledPages = installed,
            LatencyCount = all.Latency.Count,
            P50Us = all.Latency.P50 / 1000.0,
            P99Us = all.Latency.P99 / 1000.0,
            MaxUs = all.Latency.Max / 1000.0,
        };
    }

    /// <summary>One bar for each doubling, without gaps.</summary>
    public static List<LatencyBucket> Bars(LatencySnapshot latency)
    {
        var counts = new SortedDictionary<int, long>();
        foreach ((long longest, long count) in latency.Buckets())
        {
            int doubling = BitOperations.Log2((ulong)Math.Max(longest, 1));
            counts[doubling] = counts.GetValueOrDefault(doubling) + count;
        }

        var bars = new List<LatencyBucket>();
        if (counts.Count > 0)
        {
            for (int doubling = counts.Keys.First(); doubling <= counts.Keys.Last(); doubling++)
            {
                bars.Add(new LatencyBucket((1L << doubling) / 1000.0, (1L << (doubling + 1)) / 1000.0, counts.GetValueOrDefault(doubling)));
            }
        }

        return bars;
    }
}
