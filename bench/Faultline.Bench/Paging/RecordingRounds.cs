using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>An image read from memory, page by page in a random order, with a recorder of its working set and without: where a recorder costs most.</summary>
internal sealed class RecordingRounds(IMemoryEngine engine)
{
    private const int Pages = 8192;

    /// <summary>Rounds are short; with more of them a median is steady.</summary>
    private const int RoundsEach = 5;

    private static readonly byte[] Contents = MakeContents();
    private static readonly int[] Order = MakeOrder();

    /// <summary>Runs rounds of both, in turns, and each first in every other one.</summary>
    public RecordingRow Run(int rounds, Action<string> progress, CancellationToken cancellation)
    {
        var without = new List<double>();
        var with = new List<double>();
        Measure(isRecorded: true);
        for (int round = 0; round < rounds * RoundsEach; round++)
        {
            progress($"recording: round {round + 1} of {rounds * RoundsEach}");
            cancellation.ThrowIfCancellationRequested();
            bool isRecordedFirst = round % 2 == 0;
            double first = Measure(isRecordedFirst);
            double second = Measure(!isRecordedFirst);
            with.Add(isRecordedFirst ? first : second);
            without.Add(isRecordedFirst ? second : first);
        }

        return new RecordingRow(
            Pages,
            Math.Round(ReplayRounds.Median(without), 3),
            Math.Round(ReplayRounds.Median(with), 3),
            Math.Round(ReplayRounds.Median(with.Zip(without, static (recorded, plain) => recorded / plain)), 4));
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

    private double Measure(bool isRecorded)
    {
        // One page at a time, so that every touch is a fault, and every fault is noted.
        PagerOptions options = new() { LoadBytes = (int)PageSize.Small, SequentialWindowBytes = (int)PageSize.Small, NeighbourPages = 1 };
        using var pager = new Pager(engine, options);
        using PagedMemory memory = pager.Map(new MemoryPageStore(Contents));
        using WorkingSetRecorder? recorder = isRecorded ? memory.Image.Record() : null;
        long begun = Stopwatch.GetTimestamp();
        PageWalk.Touch(engine, memory, Order);
        double microseconds = Stopwatch.GetElapsedTime(begun).TotalMicroseconds / Pages;

        // A handler writes the last touches down while the thread runs on.
        bool isComplete = recorder is null || SpinWait.SpinUntil(() => recorder.ToWorkingSet().Touches.Count == Pages, TimeSpan.FromSeconds(5));
        return isComplete ? microseconds : throw new BenchmarkException($"{recorder!.ToWorkingSet().Touches.Count} touches were recorded, of {Pages}.");
    }
}
