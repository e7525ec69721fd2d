using System;
using System.Diagnostics.Metrics;
using System.Threading;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>Someone who listens to every measurement of the pager: each touch's times are measured for it.</summary>
internal sealed class MetricsRounds(IMemoryEngine engine) : PairedRounds(engine, "metrics")
{
    private long _measurements;
    private int _heardRounds;

    /// <summary>Runs rounds with a listener and without.</summary>
    public MetricsRow Run(int rounds, Action<string> progress, CancellationToken cancellation)
    {
        PairedMedians medians = RunPairs(rounds, progress, cancellation);
        double measurements = Math.Round((double)Interlocked.Read(ref _measurements) / Pages / _heardRounds, 2);
        return new MetricsRow(Pages, measurements, medians.WithoutUs, medians.WithUs, medians.Ratio);
    }

    protected override double Measure(bool isWith)
    {
        using MeterListener? listener = isWith ? Listen() : null;
        _heardRounds += isWith ? 1 : 0;
        using Pager pager = OpenPager();
        using PagedMemory memory = Map(pager);
        return Touch(memory);
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
