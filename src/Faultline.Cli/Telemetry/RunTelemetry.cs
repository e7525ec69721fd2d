using System;
using System.Collections.Generic;
using System.Diagnostics;
using Faultline.Cli.Processes;
using Faultline.Paging;

namespace Faultline.Cli.Telemetry;

/// <summary>What is read, and sent, of a run's pager, in the process where that is.</summary>
internal sealed class RunTelemetry : IDisposable
{
    /// <summary>The name of the pager of a run.</summary>
    public const string PagerName = "restore";

    /// <summary>The name of the one that only warms up.</summary>
    public const string RehearsalName = "rehearsal";

    private readonly ActivitySource _source = new(PagingTelemetry.ActivitySourceName);
    private readonly MetricsReader? _reader;
    private readonly OtlpExport? _export;
    private Activity? _restore;

    public RunTelemetry(PagerJob job, string image)
    {
        _reader = job.Metrics ? new MetricsReader(PagerName) : null;
        if (job.Otlp is not null)
        {
            _export = new OtlpExport(OtlpTarget.Parse(job.Otlp), image);
            Activity? before = Activity.Current;
            _restore = _source.StartActivity("faultline.restore");
            _restore?.SetTag("faultline.image.name", image);
            _restore?.SetTag("faultline.restore.clones", job.Clones);
            Activity.Current = before;
        }
    }

    /// <summary>The trace that the loads belong to.</summary>
    public ActivityContext Trace => _restore?.Context ?? default;

    /// <summary>Everything the meter says now, or null if nobody asked.</summary>
    public IReadOnlyList<MetricReading>? Read() => _reader?.Read();

    /// <summary>At the end of the run.</summary>
    /// <returns>Null, or one sentence: not everything could be sent.</returns>
    public string? Finish()
    {
        _restore?.Dispose();
        _restore = null;
        return _export?.Finish();
    }

    public void Dispose()
    {
        _restore?.Dispose();
        _reader?.Dispose();
        _export?.Dispose();
        _source.Dispose();
    }
}
