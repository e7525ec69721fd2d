using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>The same random touches of an image over a late store: on demand, and with their working set brought ahead.</summary>
internal sealed class ReplayRounds(IMemoryEngine engine)
{
    private const ulong ImageBytes = 64 << 20;
    private const int Touches = 300;

    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(5);
    private static readonly int[] Pages = ChoosePages();

    /// <summary>Runs rounds of both, in turns.</summary>
    public async Task<ReplayRow> RunAsync(int rounds, Action<string> progress, CancellationToken cancellation)
    {
        WorkingSet set = Record();
        var demand = new List<(double Ms, double Faults)>();
        var replay = new List<double>();
        var left = new List<double>();
        for (int round = 0; round < rounds; round++)
        {
            progress($"working sets: round {round + 1} of {rounds}");
            cancellation.ThrowIfCancellationRequested();
            demand.Add(OnDemand());
            replay.Add(Racing(set));
            left.Add(await AfterwardsAsync(set).WaitAsync(cancellation));
        }

        return new ReplayRow(
            Latency.TotalMilliseconds,
            Touches,
            Math.Round(Median(demand.Select(static round => round.Ms)), 1),
            Math.Round(Median(replay), 1),
            Median(demand.Select(static round => round.Faults)),
            Median(left));
    }

    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private static int[] ChoosePages()
    {
        int[] pages = [.. Enumerable.Range(0, (int)(ImageBytes / PageSize.Small))];
        new Random(11).Shuffle(pages);
        return pages[..Touches];
    }

    private WorkingSet Record()
    {
        using var pager = new Pager(engine);
        using PagedMemory memory = pager.Map(new LateStore(ImageBytes, TimeSpan.Zero));
        using WorkingSetRecorder recorder = memory.Image.Record();
        PageWalk.Touch(engine, memory, Pages);
        return recorder.ToWorkingSet();
    }

    private (double Ms, double Faults) OnDemand()
    {
        using var pager = new Pager(engine);
        using PagedMemory memory = pager.Map(new LateStore(ImageBytes, Latency));
        long begun = Stopwatch.GetTimestamp();
        PageWalk.Touch(engine, memory, Pages);
        return (Stopwatch.GetElapsedTime(begun).TotalMilliseconds, pager.GetStatistics().Faults);
    }

    /// <summary>The touches begin together with the replay.</summary>
    private double Racing(WorkingSet set)
    {
        using var pager = new Pager(engine);
        using PagedMemory memory = pager.Map(new LateStore(ImageBytes, Latency));
        long begun = Stopwatch.GetTimestamp();
        using WorkingSetReplay replay = memory.Image.Replay(set);
        PageWalk.Touch(engine, memory, Pages);
        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    }

    /// <summary>The touches begin when the replay has ended.</summary>
    private async Task<double> AfterwardsAsync(WorkingSet set)
    {
        using var pager = new Pager(engine);
        using PagedMemory memory = pager.Map(new LateStore(ImageBytes, Latency));
        using WorkingSetReplay replay = memory.Image.Replay(set);
        await replay.Completion;
        PageWalk.Touch(engine, memory, Pages);
        return pager.GetStatistics().Faults;
    }
}
