using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Faultline.Mm;
using Faultline.Paging;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>What is told of requests to a real server in trouble.</summary>
public sealed class StoreTelemetryTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_ServerInTrouble_IsInTheMetricsAndInTheLoadsActivity(bool isJoined)
    {
        using var folder = new TestFolder();
        NginxServer server = await NginxServer.StartAsync(folder.Path);
        await using System.Runtime.CompilerServices.ConfiguredAsyncDisposable ended = server.ConfigureAwait(false);
        await File.WriteAllBytesAsync(Path.Combine(server.Files, "image"), Sample.Bytes(1 << 20, 1));
        HttpPageStore http = await HttpPageStore.OpenAsync(server.AddressOf("image"));
        var retries = new ConcurrentBag<string>();
        long requests = 0;
        using MeterListener meter = Listen(http.DisplayName, retries, () => System.Threading.Interlocked.Increment(ref requests));
        var loads = new ConcurrentQueue<Activity>();
        using ActivityListener listener = Listen(http.DisplayName, loads);
        using var engine = new ManagedEngine();
        using var pager = new Pager(engine);
        using PagedImage image = pager.OpenImage(isJoined ? new CoalescingPageStore(http) : http, http.DisplayName);
        using PagedMemory memory = pager.Map(image);
        await File.WriteAllTextAsync(server.TroubleFile, string.Empty);
        var reading = Task.Run(() => memory.Read(5000, new byte[100]));
        long begun = Stopwatch.GetTimestamp();
        while (http.RequestsMade < 4)
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < Reading.Deadline);
            await Task.Delay(5);
        }

        File.Delete(server.TroubleFile);
        await reading;
        while (loads.IsEmpty)
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < Reading.Deadline);
            await Task.Delay(5);
        }

        Activity load = Assert.Single(loads);
        Assert.Equal("ok", load.GetTagItem("faultline.load.outcome"));
        Assert.Equal(requests, (int)load.GetTagItem("faultline.store.attempts")!);
        Assert.Equal(requests - 1, load.Events.Count(static happened => happened.Name == "retry"));
        Assert.Equal(http.Retries, retries.Count);
        Assert.All(retries, static reason => Assert.Equal("server", reason));
    }

    private static MeterListener Listen(string address, ConcurrentBag<string> retries, Action countRequest)
    {
        MeterListener meter = new()
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == PagingTelemetry.MeterName)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        meter.SetMeasurementEventCallback<long>((instrument, _, tags, _) =>
        {
            Dictionary<string, object?> all = new(tags.ToArray(), StringComparer.Ordinal);
            if (!Equals(all.GetValueOrDefault("faultline.store.address"), address))
            {
                return;
            }

            if (instrument.Name == "faultline.store.request_retries")
            {
                retries.Add((string)all["faultline.retry.reason"]!);
            }
            else if (instrument.Name == "faultline.store.requests")
            {
                countRequest();
            }
        });
        meter.Start();
        return meter;
    }

    private static ActivityListener Listen(string image, ConcurrentQueue<Activity> loads)
    {
        ActivityListener listener = new()
        {
            ShouldListenTo = static source => source.Name == PagingTelemetry.ActivitySourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (Equals(activity.GetTagItem("faultline.image.name"), image))
                {
                    loads.Enqueue(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
