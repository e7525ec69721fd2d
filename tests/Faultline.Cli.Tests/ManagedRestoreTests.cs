using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Cli.Tests;

/// <summary>The main job on the managed engine: it needs no userfaultfd, so nothing here is ever skipped for want of one.</summary>
public sealed class ManagedRestoreTests
{
    private const int Pages = 3000;
    private const long ImageBytes = Pages * 4096L;

    /// <summary>Two thirds of the test image are not zero, and only those take memory.</summary>
    private const long ContentBytes = ImageBytes * 2 / 3;

    [Theory]
    [InlineData("sequential")]
    [InlineData("random")]
    [InlineData("zipf")]
    public async Task Restore_EachPattern_IsVerifiedAndReadsTheStoreOnce(string pattern)
    {
        using var folder = new TestFolder();
        ToolResult result = await RestoreAsync(folder, "--clones", "3", "--pattern", pattern, "--verify", "--json");
        JsonElement json = AssertVerified(result);
        Assert.Equal("managed", json.GetProperty("engine").GetString());
        Assert.Equal(3, json.GetProperty("perClone").GetArrayLength());
        Assert.InRange(json.GetProperty("storeBytes").GetInt64(), 4096, ImageBytes);
        Assert.InRange(json.GetProperty("minorFaults").GetInt64() + json.GetProperty("missingFaults").GetInt64(), 1, 3 * Pages);
        Assert.InRange(json.GetProperty("timeToFirstByteMs").GetDouble(), 0.001, json.GetProperty("timeToDoneMs").GetDouble());
        Assert.All(json.GetProperty("perClone").EnumerateArray(), static clone => Assert.Equal(Pages, clone.GetProperty("pagesTouched").GetInt64()));
        Assert.All(json.GetProperty("perClone").EnumerateArray(), static clone => Assert.Equal(0, clone.GetProperty("processPssBytes").GetInt64()));
        Assert.True(json.GetProperty("totalProcessPssBytes").GetInt64() > ContentBytes / 3);
    }

    [Fact]
    public async Task Restore_ThreeClones_ShareOnePageCache()
    {
        using var folder = new TestFolder();
        JsonElement json = AssertVerified(await RestoreAsync(folder, "--clones", "3", "--verify", "--json"));
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
            folder.Path, "restore", image, "--engine", "managed", "--clones", "3", "--pattern", "zipf", "--write", "20%", "--verify", "--json");
        long written = AssertVerified(result).GetProperty("perClone").EnumerateArray().Sum(static clone => clone.GetProperty("pagesWritten").GetInt64());
        Assert.InRange(written, 30, 3 * Pages / 4);
        Assert.Equal(before, SHA256.HashData(await File.ReadAllBytesAsync(image, TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task Restore_CompareAll_DoesTheSameWorkInEachWayButMmap()
    {
        using var folder = new TestFolder();
        JsonElement json = AssertVerified(await RestoreAsync(folder, "--clones", "3", "--write", "5%", "--verify", "--compare", "all", "--json"));
        JsonElement compare = json.GetProperty("compare");
        foreach (string way in (string[])["copy", "eager"])
        {
            JsonElement run = compare.GetProperty(way);
            Assert.True(run.GetProperty("verified").GetBoolean(), way);
            Assert.All(run.GetProperty("perClone").EnumerateArray(), static clone => Assert.Equal(Pages, clone.GetProperty("pagesTouched").GetInt64()));
        }

        Assert.InRange(compare.GetProperty("copy").GetProperty("totalPssBytes").GetInt64(), (long)(2.8 * ContentBytes), (long)(3.2 * ImageBytes));
        Assert.InRange(compare.GetProperty("eager").GetProperty("totalPssBytes").GetInt64(), (long)(2.9 * ImageBytes), (long)(3.1 * ImageBytes));
        Assert.Equal(3 * ImageBytes, compare.GetProperty("eager").GetProperty("storeBytes").GetInt64());
        Assert.Equal(0, compare.GetProperty("copy").GetProperty("minorFaults").GetInt64());
        Assert.False(compare.TryGetProperty("mmap", out _));
        Assert.EndsWith(".", compare.GetProperty("mmapNotAvailable").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_Trace_TouchesItsPagesInOrder()
    {
        using var folder = new TestFolder();
        await File.WriteAllTextAsync(folder.File("trace"), "7\n0x2000\n7\n2999\n", TestContext.Current.CancellationToken);
        JsonElement json = AssertVerified(await RestoreAsync(folder, "--clones", "2", "--trace", folder.File("trace"), "--verify", "--json"));
        Assert.All(json.GetProperty("perClone").EnumerateArray(), static clone => Assert.Equal(4, clone.GetProperty("pagesTouched").GetInt64()));
    }

    [Fact]
    public async Task Restore_Text_SaysTheEngineAndWhatCannotBeCompared()
    {
        using var folder = new TestFolder();
        ToolResult result = await RestoreAsync(folder, "--clones", "2", "--verify", "--compare", "mmap");
        Assert.Equal(0, result.ExitCode);
        foreach (string words in (string[])["On the managed engine", "clone 1", "all clones", "n/a", "Verified"])
        {
            Assert.Contains(words, result.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Restore_Report_HasTheSamePictures()
    {
        using var folder = new TestFolder();
        string path = folder.File("report.html");
        AssertVerified(await RestoreAsync(folder, "--clones", "2", "--write", "10%", "--verify", "--compare", "copy", "--report", path, "--json"));
        string html = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        foreach (string words in (string[])["Page map of clone 1", "Latency histogram", "Memory of all processes over time", "address space", "the managed engine"])
        {
            Assert.Contains(words, html, StringComparison.Ordinal);
        }

        Assert.Equal(html.Split("<svg").Length, html.Split("</svg>").Length);
    }

    [Fact]
    public async Task Restore_WithoutRights_RunsOnTheManagedEngineByItself()
    {
        Assert.SkipUnless(
            (await File.ReadAllTextAsync("/proc/sys/vm/unprivileged_userfaultfd", TestContext.Current.CancellationToken)).Trim() == "0",
            "sysctl vm.unprivileged_userfaultfd is 1: everybody has the rights.");
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsNobodyAsync(folder.Path, "restore", folder.Image(64), "--clones", "2", "--verify", "--json");
        JsonElement json = AssertVerified(result);
        Assert.Equal("managed", json.GetProperty("engine").GetString());
        Assert.Contains("vm.unprivileged_userfaultfd=1", json.GetProperty("engineNote").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_UnknownEngine_IsRefused()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "restore", folder.Image(4), "--engine", "windows");
        result.AssertRefused(2);
        Assert.Contains("--engine must be linux or managed", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_ImageCutShortMeanwhile_EachCloneSaysThatThePageCannotBeHad()
    {
        using var folder = new TestFolder();
        await using ToolProcess tool = StartLongRun(folder);
        await tool.WaitForThreadsAsync("clone ", 2);
        await using (var image = new FileStream(folder.File("zero.img"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            image.SetLength(0);
        }

        ToolResult result = await tool.WaitAsync();
        Assert.Equal(1, result.ExitCode);
        result.AssertNoStackTrace();
        Assert.Contains("cannot be had", result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Verified", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task Restore_Interrupted_EndsAtOnceAndRemovesEveryFile(string signal, int exitCode)
    {
        using var folder = new TestFolder();
        await using ToolProcess tool = StartLongRun(folder);
        await tool.WaitForThreadsAsync("clone ", 2);
        tool.Signal(signal);
        ToolResult result = await tool.WaitAsync();
        Assert.Equal(exitCode, result.ExitCode);
        result.AssertOneSentence();
        await tool.AssertNothingIsLeftAsync([]);
    }

    private static ToolProcess StartLongRun(TestFolder folder) => ToolProcess.Start(
        folder.Path, ["restore", folder.EmptyImage(2L << 30), "--engine", "managed", "--clones", "2", "--pattern", "random", "--verify"]);

    private static Task<ToolResult> RestoreAsync(TestFolder folder, params string[] arguments) =>
        ToolProcess.RunAsync(folder.Path, ["restore", folder.Image(Pages), "--engine", "managed", .. arguments]);

    private static JsonElement AssertVerified(ToolResult result)
    {
        Assert.True(result.ExitCode == 0, string.Create(CultureInfo.InvariantCulture, $"exit code {result.ExitCode}: {result.Errors}"));
        Assert.Empty(result.Errors);
        JsonElement json = result.Json();
        Assert.True(json.GetProperty("verified").GetBoolean());
        return json;
    }
}
