using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Processes;

namespace Faultline.Cli.Restore;

/// <summary>
/// Samples the memory of a run's processes from the go-signal on, for the report. The kernel walks their page tables for each sample, which costs the run a few
/// per cent of one processor; without a report nothing is sampled.
/// </summary>
internal sealed class MemorySampler
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(150);

    private readonly IReadOnlyList<ChildProcess> _processes;
    private readonly List<MemorySample> _samples = [];
    private readonly long _start;
    private readonly long _baselineBytes;

    /// <summary>Notes what the processes hold now; its own making is the go-signal.</summary>
    public MemorySampler(IReadOnlyList<ChildProcess> processes)
    {
        _processes = processes;
        _baselineBytes = TotalPss();
        _samples.Add(new MemorySample(0, 0));
        _start = Stopwatch.GetTimestamp();
    }

    public IReadOnlyList<MemorySample> Samples => _samples;

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
            {
                Sample();
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }

    public void Sample()
    {
        double timeMs = Stopwatch.GetElapsedTime(_start).TotalMilliseconds;
        _samples.Add(new MemorySample(timeMs, TotalPss() - _baselineBytes));
    }

    private long TotalPss()
    {
        long total = 0;
        foreach (ChildProcess process in _processes)
        {
            total += ProcessFigures.Of(process.Id).PssBytes;
        }

        return total;
    }
}
