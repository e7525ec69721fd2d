using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Cli.Tests;

public sealed class CheckReviewTests
{
    [Fact]
    public async Task CheckReview_Json_EveryDefectIsCaughtWithAHistory()
    {
        using var folder = new TestFolder();
        string page = folder.File("review.html");
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "check", "review", "--json", "--report", page);
        Assert.True(result.ExitCode == 0, result.Errors + result.Output);
        JsonElement json = result.Json();
        Assert.True(json.GetProperty("passed").GetBoolean());
        JsonElement[] defects = [.. json.GetProperty("defects").EnumerateArray()];
        Assert.Equal(
            Enumerable.Range(1, 13).Select(static number => $"D{number}"),
            defects.Select(static defect => defect.GetProperty("id").GetString()!),
            StringComparer.Ordinal);
        Assert.All(defects, static defect =>
        {
            Assert.True(defect.GetProperty("caught").GetBoolean());
            Assert.NotEqual(0, defect.GetProperty("caughtBy").GetArrayLength());
            Assert.Equal(defect.GetProperty("steps").GetInt32(), defect.GetProperty("script").GetArrayLength());
            Assert.True(defect.GetProperty("steps").GetInt32() > 2);
            Assert.True(defect.GetProperty("milliseconds").GetDouble() > 0);
        });
        Assert.Equal(20, json.GetProperty("table").GetArrayLength());
        Assert.Equal(0, json.GetProperty("defaultFailures").GetArrayLength());
        await AssertPageAsync(page);
    }

    [Fact]
    public async Task CheckReview_Text_ReadsFromTheFirstDefectToTheSum()
    {
        using var folder = new TestFolder();
        ToolResult result = await ToolProcess.RunAsync(folder.Path, "check", "review");
        Assert.True(result.ExitCode == 0, result.Errors + result.Output);
        foreach (string words in (string[])["D1: ", "D13: ", "Should be: ", "Caught by: ", "COPY, private anonymous", "13 of 13 defects caught"])
        {
            Assert.Contains(words, result.Output, StringComparison.Ordinal);
        }
    }

    private static async Task AssertPageAsync(string path)
    {
        string html = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        Assert.StartsWith("<!doctype html>", html, StringComparison.Ordinal);
        foreach (string outside in (string[])["http://", "https://", "<script", "<link", "<img", "url(", "@import", "src="])
        {
            Assert.DoesNotContain(outside, html, StringComparison.OrdinalIgnoreCase);
        }

        for (int number = 1; number <= 13; number++)
        {
            Assert.Contains($"<title>D{number}: ", html, StringComparison.Ordinal);
        }

        // D12 has its two threads and their lock; each of the others has lanes for the locks that its calls take.
        Assert.Contains("lock of the page table", html, StringComparison.Ordinal);
        Assert.True(html.Split(">lock MmMapChanging").Length - 1 >= 12, "histories without their locks");
        Assert.Equal(html.Split("<svg").Length, html.Split("</svg>").Length);
    }
}
