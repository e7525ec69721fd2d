using System;
using System.Collections.Generic;
using System.Diagnostics.Metrics;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Faultline.Paging;
using Faultline.Stores;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Faultline.Tidy.Tests;

/// <summary>docs/observability.md lists what there is, and nothing else.</summary>
public sealed partial class ObservabilityDocumentTests
{
    private const string Document = "docs/observability.md";

    [Fact]
    public void Instruments_AreAllInTheDocument_WithTheirKindAndUnit()
    {
        Findings findings = new();
        Dictionary<string, (string Kind, string Unit)> documented = Rows()
            .ToDictionary(static row => row.Groups["name"].Value, static row => (row.Groups["kind"].Value, row.Groups["unit"].Value), StringComparer.Ordinal);
        foreach (Instrument instrument in Instruments())
        {
            if (!documented.Remove(instrument.Name, out (string Kind, string Unit) row))
            {
                findings.Add($"{instrument.Name} has no row.");
            }
            else if (row != (KindOf(instrument), instrument.Unit))
            {
                findings.Add($"{instrument.Name} is a {KindOf(instrument)} in {instrument.Unit}.");
            }
        }

        foreach (string name in documented.Keys)
        {
            findings.Add($"{name} is no instrument.");
        }

        findings.AssertNone($"{Document} has a row for each instrument, with its kind and unit.");
    }

    [Fact]
    public void Messages_AreAllInTheDocument_WithTheirLevel()
    {
        Dictionary<int, string> documented = [];
        foreach (Match row in Message().Matches(Repository.Read(Document)))
        {
            foreach (string id in row.Groups["ids"].Value.Split(", "))
            {
                documented[int.Parse(id, System.Globalization.CultureInfo.InvariantCulture)] = row.Groups["level"].Value;
            }
        }

        var actual = TypeOf("Faultline.Paging.PagerMessages")
            .GetMethods(BindingFlags.Static | BindingFlags.Public)
            .Select(static method => method.GetCustomAttribute<LoggerMessageAttribute>()!)
            .ToDictionary(static message => message.EventId, static message => message.Level.ToString().ToLowerInvariant());
        Assert.Equal(actual.OrderBy(static message => message.Key), documented.OrderBy(static message => message.Key));
    }

    private static Type TypeOf(string name) => typeof(Pager).Assembly.GetType(name, throwOnError: true)!;

    private static List<Instrument> Instruments()
    {
        List<Instrument> instruments = [];
        RuntimeHelpers.RunClassConstructor(TypeOf("Faultline.Paging.PagerMetrics").TypeHandle);
        RuntimeHelpers.RunClassConstructor(typeof(RemotePageStore).Assembly.GetType("Faultline.Stores.StoreMetrics", throwOnError: true)!.TypeHandle);
        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == PagingTelemetry.MeterName)
                {
                    instruments.Add(instrument);
                }
            },
        };
        listener.Start();
        return instruments;
    }

    private static string KindOf(Instrument instrument) => instrument switch
    {
        Histogram<double> => "histogram",
        ObservableUpDownCounter<long> => "up-down",
        _ => "counter",
    };

    private static MatchCollection Rows() => Row().Matches(Repository.Read(Document));

    [GeneratedRegex(@"^\| `(?<name>faultline\.[a-z_.]+)` \| (?<kind>counter|histogram|up-down) \| (?<unit>[^ ]+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"^\| (?<ids>\d+(, \d+)*) \| (?<level>information|warning|error) \|", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Message();
}
