using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Faultline.Paging;
using Polly.Timeout;

namespace Faultline.Stores;

/// <summary>What is measured of requests, under the pager's meter.</summary>
internal static class StoreMetrics
{
    private const string Address = "faultline.store.address";
    private const string Reason = "faultline.retry.reason";
    private const string Attempts = "faultline.store.attempts";

    private static readonly Meter Meter = new(PagingTelemetry.MeterName, typeof(StoreMetrics).Assembly.GetName().Version?.ToString(3));

    private static readonly Counter<long> Requests =
        Meter.CreateCounter<long>("faultline.store.requests", "{request}", "Requests made by network stores, retries included.");

    private static readonly Counter<long> Retries =
        Meter.CreateCounter<long>("faultline.store.request_retries", "{retry}", "Requests of network stores that failed and are made again.");

    public static void CountRequest(string address) => Requests.Add(1, new KeyValuePair<string, object?>(Address, address));

    public static void CountRetry(string address, Exception? failure) => Retries.Add(1, new(Address, address), new(Reason, ReasonOf(failure)));

    /// <summary>The activity of the load that a read is for, or null if nobody listens, or it is for something else.</summary>
    public static Activity? LoadNow() =>
        Activity.Current is { IsAllDataRequested: true } activity && activity.Source.Name == PagingTelemetry.ActivitySourceName ? activity : null;

    public static void TellRetry(Activity? load, Exception? failure) =>
        load?.AddEvent(new ActivityEvent("retry", tags: new ActivityTagsCollection { [Reason] = ReasonOf(failure), ["exception.message"] = failure?.Message }));

    public static void TellAttempts(Activity? load, int attempts) => load?.SetTag(Attempts, attempts);

    private static string ReasonOf(Exception? failure) => failure switch
    {
        TimeoutRejectedException => "timeout",
        TransientStoreException { InnerException: not null } => "connection",
        TransientStoreException => "server",
        _ => "other",
    };
}
