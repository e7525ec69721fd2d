using System;
using System.Collections.Generic;
using System.Threading;
using Faultline.Paging;

namespace Faultline.Cli.Telemetry;

/// <summary>The times of one histogram, a row for each value of its own attribute. Counting allocates nothing once a row is there.</summary>
internal sealed class TimeRows(string name, string unit, string pagerTag)
{
    private const double NanosecondsInASecond = 1e9;
    private readonly Lock _lock = new();
    private (string Key, string Value, LatencyHistogram Times)[] _rows = [];

    public void Record(double seconds, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string key = string.Empty;
        string value = string.Empty;
        foreach (ref readonly KeyValuePair<string, object?> tag in tags)
        {
            if (tag.Key != pagerTag)
            {
                (key, value) = (tag.Key, tag.Value as string ?? string.Empty);
            }
        }

        TimesOf(key, value).Record((long)(seconds * NanosecondsInASecond));
    }

    public void AddTo(List<MetricReading> readings)
    {
        foreach ((string key, string value, LatencyHistogram times) in Volatile.Read(ref _rows))
        {
            LatencySnapshot now = times.Snapshot();
            var tags = new Dictionary<string, string>(StringComparer.Ordinal);
            if (key.Length != 0)
            {
                tags[key] = value;
            }

            readings.Add(new MetricReading(name, unit, tags)
            {
                Value = now.Count,
                P50 = now.P50 / NanosecondsInASecond,
                P99 = now.P99 / NanosecondsInASecond,
                Max = now.Max / NanosecondsInASecond,
            });
        }
    }

    private LatencyHistogram TimesOf(string key, string value)
    {
        foreach ((string _, string known, LatencyHistogram times) in Volatile.Read(ref _rows))
        {
            if (known == value)
            {
                return times;
            }
        }

        lock (_lock)
        {
            foreach ((string _, string known, LatencyHistogram times) in _rows)
            {
                if (known == value)
                {
                    return times;
                }
            }

            LatencyHistogram added = new();
            Volatile.Write(ref _rows, [.. _rows, (key, value, added)]);
            return added;
        }
    }
}
