using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Linq;
using System.Threading;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>An image read from memory, page by page in a random order, while someone listens to every measurement and not: where that costs most.</summary>
internal sealed class MetricsRounds(IMemoryEngine engine)
{
    private const int Pages = 8192;

    /// <summary>Rounds are short; with more of them a median is steady.</summary>
    private const int RoundsEach = 5;

    private readonly byte[] _contents = MakeContents();
    private readonly int[] _order = MakeOrder();
    private long _measurements;

    /// <summary>Runs rounds of both, in turns, and each first in every other one.</summary>
    public MetricsRow Run(int rounds, Action<string> progress, CancellationToken cancellation)
    {
        var without = new List<double>();
        var with = new List<double>();
        Measure(isHeard: true);
        Interlocked.Exchange(ref _measurements, 0);
        for (int round = 0; round < rounds * RoundsEach; round++)
        {
            progress($"metrics: round {round + 1} of {rounds * RoundsEach}");
            cancellation.ThrowIfCancellationRequested();
            bool isHeardFirst = round % 2 == 0;
            double first = Measure(isHeardFirst);
            double second = Measure(!isHeardFirst);
            with.Add(isHeardFirst ? first : second);
            without.Add(isHeardFirst ? second : first);
        }

        return new MetricsRow(
            Pages,
            Math.Round((double)Interlocked.Read(ref _measurements) / Pages / (rounds * RoundsEach), 2),
            Math.Round(ReplayRounds.Median(without), 3),
            Math.Round(ReplayRounds.Median(with), 3),
            Math.Round(ReplayRounds.Median(with.Zip(without, static (heard, plain) => heard / plain)), 4));
    }

    private static byte[] MakeContents()
    {
        byte[] contents = new byte[Pages * (int)PageSize.Small];
        Array.Fill(contents, (byte)7);
        return contents;
    }

    private static int[] MakeOrder()
    {
        int[] pages = [.. Enumerable.Range(0, Pages)];
        new Random(29).Shuffle(pages);
        return pages;
    }

    private double Measure(bool isHeard)
    {
        // One page at a time, so that every touch is a fault with a load of its own, and each of their times is measured.
        PagerOptions options = new() { LoadBytes = (int)PageSize.Small, SequentialWindowBytes = (int)PageSize.Small, NeighbourPages = 1 };
        using MeterListener? listener = isHeard ? Listen() : null;
        using var pager = new Pager(engine, options);
        using PagedMemory memory = pager.Map(new MemoryPageStore(_contents));
        long begun = Stopwatch.GetTimestamp();
        PageWalk.Touch(engine, memory, _order);
        return Stopwatch.GetElapsedTime(begun).TotalMicroseconds / Pages;
    }

    /// <summary>Counts what it hears, as the cheapest collector would: what is measured is the pager's part.</summary>
    private MeterListener Listen()
    {
        MeterListener listener = new()
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == PagingTelemetry.MeterName)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => Interlocked.Increment(ref _measurements));
        listener.Start();
        return listener;
    }
}
