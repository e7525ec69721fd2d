using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>Touches in several orders over a late store, with guesses and without.</summary>
internal sealed class PrefetchRounds(IMemoryEngine engine)
{
    private const ulong ImageBytes = 64 << 20;
    private const int Pages = (int)(ImageBytes / PageSize.Small);
    private const int InARow = 4096;
    private const int Scattered = 160;
    private const int Stride = 100;

    /// <summary>Guesses should be worth it where there is an order, and cost nothing where there is none.</summary>
    private const double InOrderTarget = 0.5;
    private const double RandomTarget = 1.05;

    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(5);

    private static readonly (string Order, int[] Pages, double Target)[] Orders =
    [
        ("forward", [.. Enumerable.Range(0, InARow)], InOrderTarget),
        ("backward", [.. Enumerable.Range(0, InARow).Select(static i => Pages - 1 - i)], InOrderTarget),
        ("stride", [.. Enumerable.Range(0, Scattered).Select(static i => i * Stride)], InOrderTarget),
        ("neighbours", Neighbours(), 1.0),
        ("random", RandomPages(), RandomTarget),
    ];

    /// <summary>Runs rounds of everything, in turns.</summary>
    public PrefetchReport Run(int rounds, Action<string> progress, CancellationToken cancellation)
    {
        var without = new List<double>[Orders.Length];
        var with = new List<double>[Orders.Length];
        var counts = new List<(long Guessed, long Used)>[Orders.Length];
        for (int round = 0; round < rounds; round++)
        {
            progress($"prefetch: round {round + 1} of {rounds}");
            for (int i = 0; i < Orders.Length; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                (without[i] ??= []).Add(Measure(Orders[i].Pages, PrefetchOptions.Off, out _));
                (with[i] ??= []).Add(Measure(Orders[i].Pages, new PrefetchOptions(), out ImageStatistics statistics));
                (counts[i] ??= []).Add((statistics.PagesGuessed, statistics.PagesGuessedUsed));
            }
        }

        return new PrefetchReport(
            Latency.TotalMilliseconds,
            [.. Orders.Select((order, i) => new PrefetchRow(
                order.Order,
                order.Pages.Length,
                Math.Round(ReplayRounds.Median(without[i]), 1),
                Math.Round(ReplayRounds.Median(with[i]), 1),
                ReplayRounds.Median(counts[i].Select(static count => (double)count.Guessed)),
                ReplayRounds.Median(counts[i].Select(static count => (double)count.Used)),
                order.Target)),
            ]);
    }

    private static int[] RandomPages()
    {
        int[] pages = [.. Enumerable.Range(0, Pages)];
        new Random(17).Shuffle(pages);
        return pages[..Scattered];
    }

    /// <summary>Groups of eight chunks far apart, one page of each chunk, in a random order within the group.</summary>
    private static int[] Neighbours()
    {
        const int ChunkPages = 16;
        const int Group = 8;
        const int Groups = Scattered / Group;
        var random = new Random(23);
        var pages = new List<int>();
        foreach (int group in Enumerable.Range(0, Groups))
        {
            int[] chunks = [.. Enumerable.Range(0, Group)];
            random.Shuffle(chunks);
            pages.AddRange(chunks.Select(chunk => (((((group * 7) % Groups) * 4 * Group) + chunk) * ChunkPages) + random.Next(ChunkPages)));
        }

        return [.. pages];
    }

    private double Measure(int[] pages, PrefetchOptions prefetch, out ImageStatistics statistics)
    {
        using var pager = new Pager(engine, new PagerOptions { Prefetch = prefetch });
        using PagedMemory memory = pager.Map(new LateStore(ImageBytes, Latency));
        long begun = Stopwatch.GetTimestamp();
        PageWalk.Touch(engine, memory, pages);
        double microseconds = Stopwatch.GetElapsedTime(begun).TotalMicroseconds / pages.Length;
        statistics = memory.Image.GetStatistics();
        return microseconds;
    }
}
