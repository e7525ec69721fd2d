using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Cli.Tests;

/// <summary><c>restore --metrics</c> and <c>--otlp</c>.</summary>
public sealed class TelemetryTests
{
    private const int Pages = 3000;

    [Theory]
    [InlineData("linux")]
    [InlineData("managed")]
    public async Task Metrics_InTheDocument_AgreeWithTheRest(string engine)
    {
        Need(engine);
        using var folder = new TestFolder();
        JsonElement json = (await ToolProcess.RunAsync(folder.Path, Restore(folder, engine, "--metrics", "--json", "--compare", "copy"))).Json();
        List<JsonElement> metrics = [.. json.GetProperty("metrics").EnumerateArray()];
        double Sum(string name) => metrics.Where(metric => metric.GetProperty("name").GetString() == name).Sum(static metric => metric.GetProperty("value").GetDouble());

        Assert.Equal(json.GetProperty("minorFaults").GetInt64() + json.GetProperty("missingFaults").GetInt64(), Sum("faultline.fault.count"));
        Assert.Equal(json.GetProperty("storeBytes").GetInt64(), Sum("faultline.store.io"));
        Assert.Equal(json.GetProperty("storeReads").GetInt64(), Sum("faultline.store.reads"));
        Assert.Equal(json.GetProperty("latency").GetProperty("count").GetInt64(), Sum("faultline.fault.duration"));
        JsonElement installs = Assert.Single(metrics, static metric => metric.GetProperty("name").GetString() == "faultline.fault.install_duration"
            && metric.GetProperty("tags").GetProperty("faultline.install.verb").GetString() == "continue");
        Assert.InRange(installs.GetProperty("p50").GetDouble(), 1e-8, installs.GetProperty("max").GetDouble());
        Assert.Equal("s", installs.GetProperty("unit").GetString());
        Assert.False(json.GetProperty("compare").GetProperty("copy").TryGetProperty("metrics", out _));
    }

    [Fact]
    public async Task Metrics_Redirected_AreALineInASecond()
    {
        MainJob.Need();
        using var folder = new TestFolder();
        string image = Path.GetFileName(folder.Image(Pages));
        await using var server = new RangeServer(folder.Path) { Latency = TimeSpan.FromMilliseconds(25) };
        ToolResult result = await ToolProcess.RunAsync(
            folder.Path, "restore", server.Address + image, "--clones", "1", "--pattern", "random", "--metrics");
        Assert.Equal(0, result.ExitCode);
        string[] lines = [.. result.Output.Split('\n').Where(static line => line.StartsWith("metrics ", StringComparison.Ordinal))];
        Assert.True(lines.Length >= 2, result.Output);

        // On a busy machine a line may come before the first fault; what was counted once stays.
        IEnumerable<string> counted = lines.SkipWhile(static line => !line.Contains("fault.count(missing)", StringComparison.Ordinal));
        Assert.All(counted, static line => Assert.Contains("fault.count(missing)", line, StringComparison.Ordinal));
        Assert.Contains("fault.count(missing)", lines[^1], StringComparison.Ordinal);
        Assert.Contains("store.requests(", lines[^1], StringComparison.Ordinal);
        Assert.Contains("store.read_duration(", lines[^1], StringComparison.Ordinal);

        // A line for each second, and one at the end.
        double[] times = [.. lines.Select(static line => double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture))];
        Assert.All(times.SkipLast(1).Zip(times.SkipLast(1).Skip(1)), static pair => Assert.True(pair.Second - pair.First >= 0.8));
    }

    [Fact]
    public async Task Metrics_OnATerminal_AreATable()
    {
        MainJob.Need();
        const string Script = "/usr/bin/script";
        Assert.SkipUnless(File.Exists(Script), "script (util-linux) is not installed, so there is no terminal to draw on.");
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunInTerminalAsync(folder.Path, Script, Restore(folder, "linux", "--metrics"));
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("in a second", result.Output, StringComparison.Ordinal);
        Assert.Contains("fault.count", result.Output, StringComparison.Ordinal);
        Assert.Contains("page.installed", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("metrics 0", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("linux")]
    [InlineData("managed")]
    public async Task Otlp_ToAReceiver_IsWhatTheDocumentSays(string engine)
    {
        Need(engine);
        using var folder = new TestFolder();
        await using var receiver = new OtlpReceiver();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, Restore(folder, engine, "--otlp", receiver.Address, "--json"));
        Assert.Empty(result.Errors);
        JsonElement json = result.Json();
        long storeReads = json.GetProperty("storeReads").GetInt64();
        long faults = json.GetProperty("minorFaults").GetInt64() + json.GetProperty("missingFaults").GetInt64();
        Assert.Equal("faultline", receiver.Resource("service.name"));
        Assert.Equal(faults, receiver.Sum("faultline.fault.count", "restore"));
        Assert.Equal(json.GetProperty("storeBytes").GetInt64(), receiver.Sum("faultline.store.io", "restore"));
        Assert.Equal(json.GetProperty("latency").GetProperty("count").GetInt64(), receiver.Count("faultline.fault.duration", "restore"));
        Assert.Equal("s", receiver.Unit("faultline.fault.duration"));
        Assert.Equal("By", receiver.Unit("faultline.store.io"));

        List<(string Name, string Trace, string Span, string Parent, Dictionary<string, string> Tags)> spans = receiver.Spans();
        (string _, string trace, string span, string _, Dictionary<string, string> tags) = Assert.Single(spans, static sent => sent.Name == "faultline.restore");
        Assert.Equal("2", tags["faultline.restore.clones"]);
        string image = tags["faultline.image.name"];
        List<(string Name, string Trace, string Span, string Parent, Dictionary<string, string> Tags)> loads =
            [.. spans.Where(sent => sent.Name == "faultline.load" && sent.Tags["faultline.image.name"] == image)];
        Assert.Equal(storeReads, loads.Count);
        Assert.All(loads, load => Assert.Equal((trace, span), (load.Trace, load.Parent)));
        Assert.All(loads, static load => Assert.Equal("ok", load.Tags["faultline.load.outcome"]));
    }

    [Fact]
    public async Task Otlp_NobodyThere_IsSaidAndTheRunSucceeds()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, Restore(folder, "managed", "--otlp", "http://127.0.0.1:9/", "--json"));
        Assert.Equal(0, result.ExitCode);
        result.AssertOneSentence();
        Assert.Contains("http://127.0.0.1:9/", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Otlp_NoAddress_IsRefused()
    {
        using var folder = new TestFolder();
        (await ToolProcess.RunAsync(folder.Path, Restore(folder, "managed", "--otlp", "collector"))).AssertRefused(2);
    }

    private static void Need(string engine)
    {
        if (engine == "linux")
        {
            MainJob.Need();
        }
    }

    private static string[] Restore(TestFolder folder, string engine, params string[] more) =>
        ["restore", folder.Image(Pages), "--clones", "2", "--pattern", "random", "--touch", "50%", "--engine", engine, .. more];
}
