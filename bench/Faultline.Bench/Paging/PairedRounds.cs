using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>An image read from memory, page by page in a random order, with something that costs a little at each fault and without it, in turns.</summary>
internal abstract class PairedRounds(IMemoryEngine engine, string what)
{
    protected const int Pages = 8192;

    /// <summary>Rounds are short; with more of them a median is steady.</summary>
    private const int RoundsEach = 5;

    private readonly byte[] _contents = MakeContents();
    private readonly int[] _order = MakeOrder();

    /// <summary>Runs rounds of both, each first in every other one, after one to warm up.</summary>
    protected PairedMedians RunPairs(int rounds, Action<string> progress, CancellationToken cancellation)
    {
        var without = new List<double>();
        var with = new List<double>();
        Measure(isWith: true);
        for (int round = 0; round < rounds * RoundsEach; round++)
        {
            progress($"{what}: round {round + 1} of {rounds * RoundsEach}");
            cancellation.ThrowIfCancellationRequested();
            bool isWithFirst = round % 2 == 0;
            double first = Measure(isWithFirst);
            double second = Measure(!isWithFirst);
            with.Add(isWithFirst ? first : second);
            without.Add(isWithFirst ? second : first);
        }

        return new PairedMedians(
            Math.Round(ReplayRounds.Median(without), 3),
            Math.Round(ReplayRounds.Median(with), 3),
            Math.Round(ReplayRounds.Median(with.Zip(without, static (loaded, plain) => loaded / plain)), 4));
    }

    /// <summary>One round.</summary>
    /// <returns>What <see cref="Touch"/> returned.</returns>
    protected abstract double Measure(bool isWith);

    /// <summary>A pager that loads one page at a time, so that every touch is a fault with a load of its own.</summary>
    protected Pager OpenPager() =>
        new(engine, new PagerOptions { LoadBytes = (int)PageSize.Small, SequentialWindowBytes = (int)PageSize.Small, NeighbourPages = 1 });

    /// <summary>The image of every round.</summary>
    protected PagedMemory Map(Pager pager) => pager.Map(new MemoryPageStore(_contents));

    /// <summary>Touches each page of the image.</summary>
    /// <returns>Microseconds a touch.</returns>
    protected double Touch(PagedMemory memory)
    {
        long begun = Stopwatch.GetTimestamp();
        PageWalk.Touch(engine, memory, _order);
        return Stopwatch.GetElapsedTime(begun).TotalMicroseconds / Pages;
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
}
