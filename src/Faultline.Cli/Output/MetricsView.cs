using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using Faultline.Cli.Telemetry;
using Spectre.Console;

namespace Faultline.Cli.Output;

/// <summary>Shows what the meter says: a table where it can be drawn over again, lines elsewhere. Rows that are zero are left out.</summary>
internal sealed class MetricsView
{
    private const string Prefix = "faultline.";
    private readonly long _begun = Stopwatch.GetTimestamp();
    private Dictionary<string, double> _before = [];
    private Dictionary<string, double> _latest = [];
    private double _beforeAt;
    private double _latestAt;

    private double Now => Stopwatch.GetElapsedTime(_begun).TotalSeconds;

    /// <summary>A row for each instrument and attribute; the last column is the change in a second.</summary>
    public Table Draw(IReadOnlyList<MetricReading> readings)
    {
        Remember(readings);
        var table = new Table { Border = TableBorder.None };
        foreach (string heading in (string[])["metric", string.Empty, "now", "in a second"])
        {
            table.AddColumn(new TableColumn($"[grey]{heading}[/]").NoWrap());
        }

        foreach (MetricReading reading in readings.Where(static reading => reading.Value != 0))
        {
            table.AddRow(Markup.Escape(NameOf(reading)), Markup.Escape(TagsOf(reading)), Markup.Escape(ValueOf(reading)), Markup.Escape(RateOf(reading)));
        }

        return table;
    }

    /// <summary>The same in one line.</summary>
    public string Line(IReadOnlyList<MetricReading> readings)
    {
        IEnumerable<string> words = readings.Where(static reading => reading.Value != 0).Select(static reading =>
            TagsOf(reading) is { Length: > 0 } tags ? $"{NameOf(reading)}({tags}) {ValueOf(reading)}" : $"{NameOf(reading)} {ValueOf(reading)}");
        string told = string.Join("; ", words);
        return string.Create(CultureInfo.InvariantCulture, $"metrics {Now:0.0} s: {(told.Length == 0 ? "nothing yet" : told)}");
    }

    /// <summary>Keeps one state that is about a second old, to tell how fast things change.</summary>
    private void Remember(IReadOnlyList<MetricReading> readings)
    {
        if (Now - _latestAt >= 1)
        {
            (_before, _beforeAt) = (_latest, _latestAt);
            _latest = readings.ToDictionary(KeyOf, static reading => reading.Value, StringComparer.Ordinal);
            _latestAt = Now;
        }
    }

    private string RateOf(MetricReading reading)
    {
        double seconds = Now - _beforeAt;
        double change = (reading.Value - _before.GetValueOrDefault(KeyOf(reading))) / Math.Max(seconds, 0.1);
        return reading.Unit == "By" ? Amount.Bytes((long)change) : Amount.Count((long)change);
    }

    private static string NameOf(MetricReading reading) =>
        reading.Name.StartsWith(Prefix, StringComparison.Ordinal) ? reading.Name[Prefix.Length..] : reading.Name;

    private static string TagsOf(MetricReading reading) => string.Join(", ", reading.Tags.Values);

    private static string KeyOf(MetricReading reading) => $"{reading.Name} {TagsOf(reading)}";

    private static string ValueOf(MetricReading reading) => reading switch
    {
        { P50: { } p50, P99: { } p99, Max: { } max } =>
            $"p50 {Time(p50)}, p99 {Time(p99)}, max {Time(max)}, {Amount.Count((long)reading.Value)} times",
        { Unit: "By" } => Amount.Bytes((long)reading.Value),
        _ => Amount.Count((long)reading.Value),
    };

    private static string Time(double seconds) => Amount.Milliseconds(seconds * 1000);
}
