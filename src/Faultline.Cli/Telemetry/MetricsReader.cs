using System;
using System.Collections.Generic;
using System.Diagnostics.Metrics;
using System.Threading;
using Faultline.Paging;

namespace Faultline.Cli.Telemetry;

/// <summary>Reads the meter of one pager, as any other collector does.</summary>
internal sealed class MetricsReader : IDisposable
{
    private const string PagerTag = "faultline.pager.name";
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly string _pager;
    private readonly List<TimeRows> _times = [];
    private readonly Dictionary<string, MetricReading> _sums = new(StringComparer.Ordinal);
    private List<MetricReading> _now = [];

    public MetricsReader(string pager)
    {
        _pager = pager;
        _listener.InstrumentPublished = Enable;
        _listener.SetMeasurementEventCallback<double>(KeepTime);
        _listener.SetMeasurementEventCallback<long>(KeepCount);
        _listener.Start();
    }

    /// <summary>Everything there is, now.</summary>
    public List<MetricReading> Read()
    {
        lock (_lock)
        {
            _now = [];
            _listener.RecordObservableInstruments();
            _times.ForEach(rows => rows.AddTo(_now));
            _now.AddRange(_sums.Values);
            return _now;
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Enable(Instrument instrument, MeterListener listener)
    {
        if (instrument.Meter.Name != PagingTelemetry.MeterName)
        {
            return;
        }

        TimeRows? rows = null;
        if (instrument is Histogram<double>)
        {
            rows = new TimeRows(instrument.Name, instrument.Unit ?? string.Empty, PagerTag);
            lock (_lock)
            {
                _times.Add(rows);
            }
        }

        listener.EnableMeasurementEvents(instrument, rows);
    }

    private void KeepTime(Instrument instrument, double seconds, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        if (IsOurs(tags))
        {
            ((TimeRows)state!).Record(seconds, tags);
        }
    }

    private void KeepCount(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        if (!IsOurs(tags))
        {
            return;
        }

        var own = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((string key, object? tag) in tags)
        {
            if (key != PagerTag)
            {
                own[key] = tag as string ?? string.Empty;
            }
        }

        var reading = new MetricReading(instrument.Name, instrument.Unit ?? string.Empty, own) { Value = value };
        lock (_lock)
        {
            if (instrument.IsObservable)
            {
                _now.Add(reading);
                return;
            }

            // Told one by one, by the stores.
            string row = $"{instrument.Name} {string.Join(' ', own.Values)}";
            _sums[row] = _sums.TryGetValue(row, out MetricReading? sum) ? sum with { Value = sum.Value + value } : reading;
        }
    }

    /// <summary>Whether it is of our pager, or of none: the rehearsal has another.</summary>
    private bool IsOurs(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (ref readonly KeyValuePair<string, object?> tag in tags)
        {
            if (tag.Key == PagerTag)
            {
                return tag.Value is string name && name == _pager;
            }
        }

        return true;
    }
}
