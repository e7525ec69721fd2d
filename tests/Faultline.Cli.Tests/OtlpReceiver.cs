using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Threading.Tasks;

namespace Faultline.Cli.Tests;

/// <summary>
/// Takes what is exported by OTLP (protobuf over HTTP) and reads it by the field numbers of its published messages (opentelemetry/proto, version 1). What
/// goes over the wire is the exporter's own; only this side is the test's.
/// </summary>
internal sealed class OtlpReceiver : LoopbackServer
{
    private const string Protobuf = "application/x-protobuf";
    private readonly List<(string Path, byte[] Body)> _requests = [];

    /// <summary>The spans received: name, trace, its own identity, its parent's, and its attributes.</summary>
    public List<(string Name, string Trace, string Span, string Parent, Dictionary<string, string> Tags)> Spans()
    {
        IEnumerable<WireMessage> spans = Bodies("/v1/traces")
            .SelectMany(static request => request.Messages(1))
            .SelectMany(static resource => resource.Messages(2))
            .SelectMany(static scope => scope.Messages(2));
        return [.. spans.Select(static span => (
            span.Text(5), Hex(span.Bytes(1)), Hex(span.Bytes(2)), Hex(span.Bytes(4)), Tags(span.Messages(9))))];
    }

    /// <summary>The newest sum of a counter over the rows with a tag; received cumulatively.</summary>
    public long Sum(string metric, string pager)
    {
        Dictionary<string, long> newest = new(StringComparer.Ordinal);
        foreach (WireMessage point in Metrics(metric).SelectMany(static found => found.Messages(7)).SelectMany(static sum => sum.Messages(1)))
        {
            Dictionary<string, string> tags = Tags(point.Messages(7));
            if (tags.GetValueOrDefault("faultline.pager.name") == pager)
            {
                newest[string.Join(' ', tags.Values)] = (long)point.Number(6);
            }
        }

        return newest.Values.Sum();
    }

    /// <summary>How many measurements the newest point of a histogram has, by its tags.</summary>
    public long Count(string metric, string pager)
    {
        Dictionary<string, long> newest = new(StringComparer.Ordinal);
        foreach (WireMessage point in Metrics(metric).SelectMany(static found => found.Messages(9)).SelectMany(static histogram => histogram.Messages(1)))
        {
            Dictionary<string, string> tags = Tags(point.Messages(9));
            if (tags.GetValueOrDefault("faultline.pager.name") == pager)
            {
                newest[string.Join(' ', tags.Values)] = (long)point.Number(4);
            }
        }

        return newest.Values.Sum();
    }

    /// <summary>The unit of a metric.</summary>
    public string Unit(string metric) => Metrics(metric).First().Text(3);

    /// <summary>An attribute of whoever sent.</summary>
    public string Resource(string tag) =>
        Tags(Bodies("/v1/metrics").SelectMany(static request => request.Messages(1)).First().Messages(1).First().Messages(1))[tag];

    protected override async Task AnswerAsync(HttpListenerContext context)
    {
        using var body = new MemoryStream();
        await context.Request.InputStream.CopyToAsync(body);
        lock (_requests)
        {
            _requests.Add((context.Request.Url!.AbsolutePath, body.ToArray()));
        }

        context.Response.StatusCode = context.Request.ContentType == Protobuf ? (int)HttpStatusCode.OK : (int)HttpStatusCode.UnsupportedMediaType;
        context.Response.ContentType = Protobuf;
        context.Response.Close();
    }

    private IEnumerable<WireMessage> Metrics(string name) => Bodies("/v1/metrics")
        .SelectMany(static request => request.Messages(1))
        .SelectMany(static resource => resource.Messages(2))
        .SelectMany(static scope => scope.Messages(2))
        .Where(metric => metric.Text(1) == name);

    private List<WireMessage> Bodies(string path)
    {
        lock (_requests)
        {
            return [.. _requests.Where(request => request.Path == path).Select(static request => new WireMessage(request.Body))];
        }
    }

    private static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexStringLower(bytes.Span);

    /// <summary>Attributes: a key, and a value that is text, a truth, or a whole number.</summary>
    private static Dictionary<string, string> Tags(IEnumerable<WireMessage> attributes)
    {
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (WireMessage attribute in attributes)
        {
            WireMessage value = attribute.Messages(2).First();
            tags[attribute.Text(1)] = value.Has(1) ? value.Text(1)
                : value.Has(2) ? (value.Number(2) != 0).ToString()
                : ((long)value.Number(3)).ToString(CultureInfo.InvariantCulture);
        }

        return tags;
    }
}
