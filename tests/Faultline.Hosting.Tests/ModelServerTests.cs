using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Faultline.Cli.Tests;
using Faultline.Stores.Tests;
using Xunit;

namespace Faultline.Hosting.Tests;

/// <summary>The sample service and a real web server, which is killed and started while the service is asked: every answer is right, or 503.</summary>
public sealed class ModelServerTests : IAsyncLifetime
{
    private const int ModelBytes = 32 << 20;
    private const int BudgetBytes = 8 << 20;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(150);
    private readonly TestFolder _folder = new();
    private readonly byte[] _model = new byte[ModelBytes];
    private NginxServer? _store;
    private ModelProcess? _service;

    private NginxServer Store => _store ?? throw new InvalidOperationException("The store does not run.");

    private ModelProcess Service => _service ?? throw new InvalidOperationException("The service does not run.");

    public async ValueTask InitializeAsync()
    {
        using (Linux.LinuxEngine engine = new())
        {
            Assert.SkipUnless(engine.Capabilities.KernelFaults.IsAvailable, engine.Capabilities.KernelFaults.Reason);
        }

        _store = await NginxServer.StartAsync(_folder.Path);
        new Random(2026).NextBytes(_model);
        await File.WriteAllBytesAsync(Path.Combine(_store.Files, "model.bin"), _model);
        _service = await ModelProcess.StartAsync(
            $"--Faultline:Images:model:Address={_store.AddressOf("model.bin")}",
            $"--Faultline:BudgetBytes={BudgetBytes.ToString(CultureInfo.InvariantCulture)}",
            "--Faultline:LoadDeadline=00:00:05",
            "--Faultline:HealthDeadline=00:00:00.5");
    }

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
        {
            await _service.DisposeAsync();
        }

        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact(Timeout = 200_000)]
    public async Task Ask_StoreIsKilledAndStarted_GivesRightBytesOr503_WithinItsBudget()
    {
        await Service.WaitForHealthAsync("Healthy");
        using CancellationTokenSource enough = new(Deadline);
        Tally tally = new();
        Task[] askers = [.. Enumerable.Range(0, 4).Select(seed => AskAsync(new Random(seed), tally, enough.Token))];
        await tally.WaitForAsync(() => tally.Right >= 200, askers);
        await Store.KillAsync();
        await Service.WaitForHealthAsync("Degraded");
        await tally.WaitForAsync(() => tally.Refused > 0, askers);
        await Store.StartAsync();
        await Service.WaitForHealthAsync("Healthy");
        int before = tally.Right;
        await tally.WaitForAsync(() => tally.Right >= before + 400, askers);
        await enough.CancelAsync();
        await Task.WhenAll(askers);

        // After the trouble everything is there again, and the whole of it passes through the budget.
        (HttpStatusCode status, byte[] body) = await Service.GetAllAsync("model");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.True(_model.AsSpan().SequenceEqual(body));
        System.Text.Json.JsonElement memory = await Service.MemoryAsync("model");
        Assert.InRange(memory.GetProperty("residentBytes").GetInt64(), 1, BudgetBytes);
        Assert.InRange(await Service.ResidentBytesAsync("model"), 1, BudgetBytes);
        Assert.True(memory.GetProperty("pagesEvicted").GetInt64() > (ModelBytes - BudgetBytes) / 4096);
        Assert.True(memory.GetProperty("failedLoads").GetInt64() > 0);
        Assert.Contains("of the image 'model'", Service.Output, StringComparison.Ordinal);
        Assert.Equal(0, await Service.TerminateAsync());
        Assert.Contains("The pager 'models' is closed.", Service.Output, StringComparison.Ordinal);
        TestContext.Current.SendDiagnosticMessage($"{tally.Right} right, {tally.Refused} refused");
    }

    [Fact(Timeout = 200_000)]
    public async Task Ask_WhatIsNotThere_IsADefiniteAnswer()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await Service.GetAllAsync("another")).Status);
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, (await Service.GetRangeAsync("model", ModelBytes, 10)).Status);
        (HttpStatusCode status, byte[] body) = await Service.GetRangeAsync("model", ModelBytes - 5, 100);
        Assert.Equal(HttpStatusCode.PartialContent, status);
        Assert.True(_model.AsSpan()[^5..].SequenceEqual(body));
    }

    [Fact(Timeout = 200_000)]
    public async Task Ask_WithAReceiver_SendsMetricsAndTheTraceOfTheRequest()
    {
        await using OtlpReceiver receiver = new();
        await using ModelProcess service = await ModelProcess.StartAsync(
            $"--Faultline:Images:model:Address={Store.AddressOf("model.bin")}",
            "--Faultline:Name=sent",
            $"--OTEL_EXPORTER_OTLP_ENDPOINT={receiver.Address}",
            "--OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
            "--OTEL_METRIC_EXPORT_INTERVAL=300",
            "--OTEL_BSP_SCHEDULE_DELAY=300");
        Assert.Equal(HttpStatusCode.PartialContent, (await service.GetRangeAsync("model", 5_000_000, 10)).Status);
        long begun = System.Diagnostics.Stopwatch.GetTimestamp();
        while (receiver.Sum("faultline.store.io", "sent") == 0 || !HasLoadOfARequest(receiver))
        {
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(begun) < Deadline, $"Nothing was sent. The service said: {service.Output}");
            await Task.Delay(100);
        }
    }

    private static bool HasLoadOfARequest(OtlpReceiver receiver)
    {
        List<(string Name, string Trace, string Span, string Parent, Dictionary<string, string> Tags)> spans = receiver.Spans();
        return spans.Exists(load => load.Name == "faultline.load"
            && spans.Exists(request => request.Name.Contains("HttpRequestIn", StringComparison.Ordinal) && (request.Trace, request.Span) == (load.Trace, load.Parent)));
    }

    private async Task AskAsync(Random random, Tally tally, CancellationToken enough)
    {
        const int Longest = 256 << 10;
        for (int i = 0; !enough.IsCancellationRequested; i++)
        {
            int length = random.Next(1, Longest);
            int offset = random.Next(0, ModelBytes - length);
            (HttpStatusCode status, byte[] body) = await Service.GetRangeAsync("model", offset, length);
            if (status == HttpStatusCode.ServiceUnavailable)
            {
                Assert.Empty(body);
                tally.NoteRefused();
                continue;
            }

            Assert.Equal(HttpStatusCode.PartialContent, status);
            Assert.True(_model.AsSpan(offset, length).SequenceEqual(body), $"Bytes {offset} to {offset + length} are wrong.");
            tally.NoteRight();
            if (i % 16 == 0)
            {
                Assert.InRange(await Service.ResidentBytesAsync("model"), 0, BudgetBytes);
                Assert.InRange((await Service.MemoryAsync("model")).GetProperty("residentBytes").GetInt64(), 0, BudgetBytes);
            }
        }
    }

    /// <summary>Counts answers.</summary>
    private sealed class Tally
    {
        private int _right;
        private int _refused;

        public int Right => Volatile.Read(ref _right);

        public int Refused => Volatile.Read(ref _refused);

        public void NoteRight() => Interlocked.Increment(ref _right);

        public void NoteRefused() => Interlocked.Increment(ref _refused);

        /// <summary>Waits until enough was answered, or an asker has found something wrong.</summary>
        public async Task WaitForAsync(Func<bool> condition, Task[] askers)
        {
            while (!condition())
            {
                await Task.Delay(10);
                foreach (Task asker in askers.Where(static asker => asker.IsCompleted))
                {
                    await asker;
                    Assert.Fail($"The askers ended with {Right} right answers and {Refused} refused.");
                }
            }
        }
    }
}
