using System;
using System.Collections.Generic;
using System.Diagnostics.Metrics;
using System.Linq;
using System.Threading;

namespace Faultline.Paging.Tests;

/// <summary>Listens to the meter, as any collector does, and keeps what one pager measures: others run beside it in this process.</summary>
internal sealed class MeterReader : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly string _pager;
    private readonly List<(string Name, string Tags, double Value)> _observed = [];
    private readonly List<(string Name, string Tags, double Value)> _measured = [];

    public MeterReader(Pager pager)
    {
        _pager = pager.Name;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == PagingTelemetry.MeterName)
            {
                Instruments.Add(instrument);
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Keep(_observed, instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Keep(_measured, instrument, value, tags));
        _listener.Start();
    }

    public List<Instrument> Instruments { get; } = [];

    /// <summary>What a count or level is now, over the rows whose tags contain a word.</summary>
    public long Now(string name, string tag = "")
    {
        lock (_lock)
        {
            _observed.Clear();
        }

        _listener.RecordObservableInstruments();
        lock (_lock)
        {
            return (long)_observed.Where(row => row.Name == name && row.Tags.Contains(tag, StringComparison.Ordinal)).Sum(static row => row.Value);
        }
    }

    /// <summary>The times measured so far.</summary>
    public double[] Times(string name, string tag = "")
    {
        lock (_lock)
        {
            return [.. _measured.Where(row => row.Name == name && row.Tags.Contains(tag, StringComparison.Ordinal)).Select(static row => row.Value)];
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Keep<T>(List<(string Name, string Tags, double Value)> rows, Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string text = string.Join(' ', tags.ToArray().Select(static tag => $"{tag.Key}={tag.Value};"));
        if (text.Contains($"faultline.pager.name={_pager};", StringComparison.Ordinal))
        {
            lock (_lock)
            {
                rows.Add((instrument.Name, text, Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture)));
            }
        }
    }
}
