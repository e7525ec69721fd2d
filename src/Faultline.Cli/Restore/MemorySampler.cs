using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Faultline.Cli.Restore;

/// <summary>
/// Samples the memory of a run from the go-signal on, for the report. For processes the kernel walks their page tables for each sample, which costs the run a
/// few per cent of one processor; without a report nothing is sampled.
/// </summary>
internal sealed class MemorySampler
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(150);

    private readonly Func<long> _total;
    private readonly List<MemorySample> _samples = [];
    private readonly long _start;
    private readonly long _baselineBytes;

    /// <summary>Notes what the run takes now; its own making is the go-signal.</summary>
    public MemorySampler(Func<long> total)
    {
        _total = total;
        _baselineBytes = total();
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
        _samples.Add(new MemorySample(timeMs, _total() - _baselineBytes));
    }
}
