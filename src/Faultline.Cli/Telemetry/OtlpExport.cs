using System;
using System.Collections.Generic;
using Faultline.Paging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Faultline.Cli.Telemetry;

/// <summary>Sends metrics once in a second, and every activity, to an OTLP receiver.</summary>
internal sealed class OtlpExport : IDisposable
{
    private const int IntervalMs = 1000;
    private const int PatienceMs = 5000;

    /// <summary>A restore without latency makes tens of thousands of loads in a second.</summary>
    private const int QueuedActivities = 1 << 17;

    private readonly OtlpTarget _target;
    private readonly MeterProvider _metrics;
    private readonly TracerProvider _traces;

    public OtlpExport(OtlpTarget target, string image)
    {
        _target = target;
        ResourceBuilder resource = ResourceBuilder.CreateDefault()
            .AddService("faultline", serviceVersion: typeof(OtlpExport).Assembly.GetName().Version?.ToString(3))
            .AddAttributes([KeyValuePair.Create<string, object>("faultline.image.name", image)]);
        _metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(PagingTelemetry.MeterName)
            .AddOtlpExporter((exporter, reader) =>
            {
                Set(exporter, "metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = IntervalMs;
            })
            .Build();
        _traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource(PagingTelemetry.ActivitySourceName)
            .AddOtlpExporter(exporter =>
            {
                Set(exporter, "traces");
                exporter.BatchExportProcessorOptions.MaxQueueSize = QueuedActivities;
                exporter.BatchExportProcessorOptions.ScheduledDelayMilliseconds = IntervalMs;
            })
            .Build();
    }

    /// <summary>Sends what is left.</summary>
    /// <returns>Null, or one sentence: not everything could be sent.</returns>
    public string? Finish()
    {
        bool isSent = _traces.ForceFlush(PatienceMs) & _metrics.ForceFlush(PatienceMs);
        return isSent ? null : $"Metrics and traces could not all be sent to {_target.Address}: nobody takes them there.";
    }

    public void Dispose()
    {
        _traces.Dispose();
        _metrics.Dispose();
    }

    private void Set(OtlpExporterOptions exporter, string signal)
    {
        exporter.Endpoint = _target.For(signal);
        exporter.Protocol = _target.IsGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        exporter.TimeoutMilliseconds = PatienceMs;
    }
}
