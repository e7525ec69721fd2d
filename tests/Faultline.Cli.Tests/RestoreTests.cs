using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Cli.Tests;

public sealed class RestoreTests
{
    private const int Pages = 3000;
    private const long ImageBytes = Pages * 4096L;

    /// <summary>Two thirds of the test image are not zero, and only those take memory.</summary>
    private const long ContentBytes = ImageBytes * 2 / 3;

    public RestoreTests() => MainJob.Need();

    [Theory]
    [InlineData("sequential")]
    [InlineData("random")]
    [InlineData("zipf")]
    public async Task Restore_EachPattern_IsVerifiedAndReadsTheStoreOnce(string pattern)
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(
            folder.Path, "restore", folder.Image(Pages), "--clones", "3", "--pattern", pattern, "--verify", "--json");
        JsonElement json = AssertVerified(result);
        Assert.Equal(3, json.GetProperty("clones").GetInt32());
        Assert.Equal(3, json.GetProperty("perClone").GetArrayLength());
        Assert.Equal(ImageBytes, json.GetProperty("imageBytes").GetInt64());
        Assert.InRange(json.GetProperty("storeBytes").GetInt64(), 4096, ImageBytes);
        Assert.InRange(json.GetProperty("minorFaults").GetInt64() + json.GetProperty("missingFaults").GetInt64(), 1, 3 * Pages);
        Assert.InRange(json.GetProperty("timeToFirstByteMs").GetDouble(), 0.001, json.GetProperty("timeToDoneMs").GetDouble());
        foreach (JsonElement clone in json.GetProperty("perClone").EnumerateArray())
        {
            Assert.True(clone.GetProperty("verified").GetBoolean());
            Assert.Equal(Pages, clone.GetProperty("pagesTouched").GetInt64());
        }
    }

    [Fact]
    public async Task Restore_ReplayOfARecordedRun_AvoidsFaultsAndIsVerified()
    {
        using var folder = new TestFolder();
        string image = folder.Image(Pages);
        string set = Path.Combine(folder.Path, "ws.json");
        string[] work = ["restore", image, "--clones", "2", "--pattern", "zipf", "--touch", "20%", "--verify", "--json"];
        JsonElement recorded = AssertVerified(await ToolProcess.RunAsync(folder.Path, [.. work, "--record", set])).GetProperty("workingSet");
        Assert.InRange(recorded.GetProperty("recordedTouches").GetInt64(), 10, Pages);
        Assert.False(recorded.TryGetProperty("faultsAvoided", out JsonElement avoided) && avoided.ValueKind == JsonValueKind.Number);

        string report = Path.Combine(folder.Path, "report.html");
        JsonElement all = AssertVerified(await ToolProcess.RunAsync(folder.Path, [.. work, "--replay", set, "--report", report]));
        JsonElement replayed = all.GetProperty("workingSet");
        Assert.Equal(recorded.GetProperty("recordedPages").GetInt64(), replayed.GetProperty("pagesLoaded").GetInt64());
        Assert.True(replayed.GetProperty("pagesInstalled").GetInt64() > 0);
        Assert.True(replayed.GetProperty("guessedAndUsed").GetInt64() > 0);
        Assert.InRange(replayed.GetProperty("faultsAvoided").GetDouble(), 0.05, 1);
        string html = await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken);
        Assert.Contains("pages guessed and unused", html, StringComparison.Ordinal);
        Assert.Contains("working set <span class=\"soft\">(ws.json)</span>", html, StringComparison.Ordinal);
        Assert.Equal(0, all.GetProperty("prefetch").GetProperty("pagesGuessed").GetInt64());
    }

    // Both engines do the same work by the same seed, so what they save is the same, byte for byte; and it can be restored.
    [Fact]
    public async Task Restore_Snapshot_IsALayerThatIsTheSameOnBothEngines()
    {
        using var folder = new TestFolder();
        string image = Path.Combine(folder.Path, "image.flt");
        Assert.Equal(0, (await ToolProcess.RunAsync(folder.Path, "image", "create", folder.Image(Pages), image, "--json")).ExitCode);
        string[] digests = new string[2];
        for (int i = 0; i < digests.Length; i++)
        {
            string saved = Path.Combine(folder.Path, $"saved{i}.flt");
            string engine = i == 0 ? "linux" : "managed";
            string[] work = ["restore", image, "--clones", "2", "--touch", "10%", "--write", "20%", "--verify", "--engine", engine, "--json"];
            JsonElement snapshot = AssertVerified(await ToolProcess.RunAsync(folder.Path, [.. work, "--snapshot", saved])).GetProperty("snapshot");
            Assert.Equal("image.flt", snapshot.GetProperty("base").GetString());
            Assert.InRange(snapshot.GetProperty("storedChunks").GetInt64(), 1, 30);
            Assert.True(snapshot.GetProperty("inheritedChunks").GetInt64() > 5);
            ToolResult inspected = await ToolProcess.RunAsync(folder.Path, "image", "inspect", saved, "--json");
            digests[i] = inspected.Json().GetProperty("layers")[0].GetProperty("digest").GetString()!;
            AssertVerified(await ToolProcess.RunAsync(folder.Path, "restore", saved, "--clones", "1", "--verify", "--json"));
        }

        Assert.Equal(digests[0], digests[1]);
    }

    [Fact]
    public async Task Restore_ThreeClones_ShareOnePageCache()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore", folder.Image(Pages), "--clones", "3", "--verify", "--json");
        JsonElement json = AssertVerified(result);
        Assert.InRange(json.GetProperty("totalPssBytes").GetInt64(), (long)(ContentBytes * 0.95), (long)(ContentBytes * 1.07));
        Assert.InRange(json.GetProperty("totalRssBytes").GetInt64(), (long)(2.9 * ContentBytes), (long)(3.1 * ImageBytes));
        Assert.Equal(ImageBytes, json.GetProperty("storeBytes").GetInt64());
        Assert.All(json.GetProperty("perClone").EnumerateArray(), static clone => Assert.Equal(Pages, clone.GetProperty("pagesResident").GetInt64()));
    }

    [Fact]
    public async Task Restore_WithWrites_KeepsThemApartAndTheImageUnchanged()
    {
        using var folder = new TestFolder();
        string image = folder.Image(Pages);
        byte[] before = SHA256.HashData(await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken));
        ToolResult result = await ToolProcess.RunAsync(
            folder.Path, "restore", image, "--clones", "3", "--pattern", "zipf", "--write", "20%", "--verify", "--json");
        JsonElement json = AssertVerified(result);
        long written = json.GetProperty("perClone").EnumerateArray().Sum(static clone => clone.GetProperty("pagesWritten").GetInt64());
        Assert.InRange(written, 30, 3 * Pages / 4);
        Assert.True(json.GetProperty("totalPssBytes").GetInt64() >= written * 4096);
        Assert.Equal(before, SHA256.HashData(await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task Restore_PartOfTheImage_TouchesThatMuch()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(
            folder.Path, "restore", folder.Image(Pages), "--clones", "2", "--pattern", "random", "--touch", "10%", "--verify", "--json");
        JsonElement json = AssertVerified(result);
        Assert.All(json.GetProperty("perClone").EnumerateArray(), static clone => Assert.Equal(Pages / 10, clone.GetProperty("pagesTouched").GetInt64()));
    }

    [Fact]
    public async Task Restore_Trace_TouchesItsPagesInOrder()
    {
        using var folder = new TestFolder();
        await File.WriteAllTextAsync(folder.File("trace"), "# recorded\n7\n0x2000 # page 2\n7\n2999\n", TestContext.Current.CancellationToken);
        ToolResult result = await ToolProcess.RunAsync(
            folder.Path, "restore", folder.Image(Pages), "--clones", "2", "--trace", folder.File("trace"), "--verify", "--json");
        JsonElement json = AssertVerified(result);
        Assert.Equal("trace", json.GetProperty("pattern").GetString());
        Assert.All(json.GetProperty("perClone").EnumerateArray(), static clone => Assert.Equal(4, clone.GetProperty("pagesTouched").GetInt64()));
    }

    [Fact]
    public async Task Restore_CompareAll_DoesTheSameWorkInEachWay()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(
            folder.Path, "restore", folder.Image(Pages), "--clones", "3", "--write", "5%", "--verify", "--compare", "copy", "--compare", "all", "--json");
        JsonElement json = AssertVerified(result);
        JsonElement compare = json.GetProperty("compare");
        foreach (string way in (string[])["copy", "eager", "mmap"])
        {
            JsonElement run = compare.GetProperty(way);
            Assert.Equal(way, run.GetProperty("mode").GetString());
            Assert.True(run.GetProperty("verified").GetBoolean(), way);
            Assert.Equal(3, run.GetProperty("clones").GetInt32());
            Assert.All(run.GetProperty("perClone").EnumerateArray(), static clone => Assert.Equal(Pages, clone.GetProperty("pagesTouched").GetInt64()));
        }

        Assert.InRange(compare.GetProperty("copy").GetProperty("totalPssBytes").GetInt64(), (long)(2.8 * ContentBytes), (long)(3.2 * ImageBytes));
        Assert.InRange(compare.GetProperty("eager").GetProperty("totalPssBytes").GetInt64(), (long)(2.9 * ImageBytes), (long)(3.1 * ImageBytes));
        Assert.Equal(3 * ImageBytes, compare.GetProperty("eager").GetProperty("storeBytes").GetInt64());
        Assert.Equal(0, compare.GetProperty("mmap").GetProperty("minorFaults").GetInt64());
        Assert.True(compare.GetProperty("mmap").GetProperty("totalPssBytes").GetInt64() < 2 * ImageBytes);
        Assert.Equal(0, compare.GetProperty("copy").GetProperty("minorFaults").GetInt64());
    }

    [Fact]
    public async Task Restore_WithoutVerify_SaysThatNothingWasVerified()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore", folder.Image(16), "--clones", "1", "--json");
        Assert.Equal(0, result.ExitCode);
        JsonElement json = result.Json();
        Assert.False(json.GetProperty("verified").GetBoolean());
        Assert.Equal("not asked", json.GetProperty("verification").GetString());
    }

    [Fact]
    public async Task Restore_Text_PrintsARowForEachCloneAndTheirTotal()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore", folder.Image(64), "--clones", "2", "--verify", "--compare", "mmap");
        Assert.Equal(0, result.ExitCode);
        foreach (string words in (string[])["clone 0", "clone 1", "all clones", "plain mmap", "Verified"])
        {
            Assert.Contains(words, result.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Restore_SameSeed_TouchesTheSamePages()
    {
        using var folder = new TestFolder();
        string image = folder.Image(Pages);
        string[] arguments = ["restore", image, "--clones", "1", "--pattern", "zipf", "--touch", "20%", "--write", "50%", "--seed", "7", "--verify", "--json"];
        JsonElement first = AssertVerified(await ToolProcess.RunAsync(folder.Path, arguments)).GetProperty("perClone")[0];
        JsonElement second = AssertVerified(await ToolProcess.RunAsync(folder.Path, arguments)).GetProperty("perClone")[0];
        Assert.Equal(first.GetProperty("pagesWritten").GetInt64(), second.GetProperty("pagesWritten").GetInt64());
        Assert.True(first.GetProperty("pagesWritten").GetInt64() > 0);
    }

    [Fact]
    public async Task Restore_Report_IsOnePageWithPicturesAndNothingFromOutside()
    {
        using var folder = new TestFolder();
        string path = folder.File("report.html");
        ToolResult result = await ToolProcess.RunAsync(
            folder.Path, "restore", folder.Image(Pages), "--clones", "3", "--write", "10%", "--verify", "--compare", "all", "--report", path, "--json");
        JsonElement json = AssertVerified(result);
        Assert.Equal(path, json.GetProperty("report").GetString());
        string html = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        Assert.StartsWith("<!doctype html>", html, StringComparison.Ordinal);
        foreach (string outside in (string[])["http://", "https://", "<script", "<link", "<img", "url(", "@import", "src="])
        {
            Assert.DoesNotContain(outside, html, StringComparison.OrdinalIgnoreCase);
        }

        for (int clone = 0; clone < 3; clone++)
        {
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"<title>Page map of clone {clone}</title>"), html, StringComparison.Ordinal);
        }

        Assert.Contains("<title>Latency histogram</title>", html, StringComparison.Ordinal);
        Assert.Contains("<title>Memory of all processes over time, by mode</title>", html, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", html, StringComparison.Ordinal);
        Assert.Contains("class=\"written s", html, StringComparison.Ordinal);
        Assert.Equal(html.Split("<svg").Length, html.Split("</svg>").Length);
    }

    private static JsonElement AssertVerified(ToolResult result)
    {
        Assert.True(result.ExitCode == 0, result.Errors);
        Assert.Empty(result.Errors);
        JsonElement json = result.Json();
        Assert.True(json.GetProperty("verified").GetBoolean());
        Assert.Equal("passed", json.GetProperty("verification").GetString());
        return json;
    }
}
