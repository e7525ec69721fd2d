using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using Xunit;

namespace Faultline.Bench.Tests;

/// <summary>
/// The budget matrix, on a small file. A run fails by itself when an access meets a page with another page's bytes, or the file does not have every increment;
/// <see cref="WalkTests"/> has the former.
/// </summary>
public sealed class BudgetMatrixTests(SmallMatrix run) : IClassFixture<SmallMatrix>
{
    private static readonly string[] Patterns = ["sequential", "random", "zipf"];
    private static readonly string[] Accesses = ["read", "readModifyWrite"];
    private static readonly int[] ThreadCounts = [1, 2, 8];
    private static readonly string[] Sizes = ["4096 4096", "65536 65536"];
    private static readonly string[] SizesInOrder = [.. Sizes, "65536 524288"];

    [Fact]
    public void Run_OverASmallFile_HasEveryCellOnce()
    {
        BudgetMatrixReport report = run.Need();
        var expected = new List<string>();
        foreach (string pattern in Patterns)
        {
            foreach (string access in Accesses)
            {
                string[] sizes = pattern == "sequential" ? SizesInOrder : Sizes;
                expected.AddRange(ThreadCounts.SelectMany(_ => sizes, (threads, size) => $"{pattern} {access} {threads} {size}"));
            }
        }

        IEnumerable<string> cells = report.Cells.Select(static cell => $"{cell.Pattern} {cell.Access} {cell.Threads} {cell.PageBytes} {cell.WindowBytes}");
        Assert.Equal(expected, cells, StringComparer.Ordinal);
        Assert.Equal((SmallMatrix.FileBytes, SmallMatrix.FileBytes / 8, SmallMatrix.Accesses), (report.FileBytes, report.BudgetBytes, report.Accesses));
    }

    [Fact]
    public void Run_OverASmallFile_EveryCellDidItsWorkWithinTheBudget()
    {
        BudgetMatrixReport report = run.Need();
        Assert.True(report.StaysWithin, string.Join('\n', report.Cells));
        Assert.All(report.Cells, static cell =>
        {
            Assert.True(cell.PagerPerSecond > 0);
            Assert.True(cell.Faults > 0);
            Assert.True(cell.ResidentMaxBytes > 0);

            // Zipf has its favourites, which fit in.
            Assert.True(cell.PagesEvicted > 0 || cell.Pattern == "zipf", $"{cell}");
            Assert.Equal(cell.Access != "read", cell.PagesWrittenBack > 0);
        });
    }

    [Fact]
    public void Run_WithAMemoryControlGroup_HasMmapBesideEachCell()
    {
        BudgetMatrixReport report = run.Need();
        if (report.ControlGroup is null)
        {
            MissingRow row = Assert.Single(run.Missing);
            Assert.Equal("plain mmap under a memory control group", row.What);
            Assert.All(
                report.Cells,
                static cell => Assert.Equal((null, null, null, null), (cell.MmapPerSecond, cell.MmapMaxBytes, cell.MmapFailure, cell.Ratio)));
            Assert.Skip(row.Reason);
        }

        Assert.True(report.ControlGroup is "v1" or "v2", report.ControlGroup);
        Assert.Empty(run.Missing);
        Assert.All(report.Cells, static cell =>
        {
            Assert.True(cell.MmapPerSecond is > 0 == cell.MmapFailure is null, $"{cell}");
            Assert.Equal(cell.MmapPerSecond is not null, cell.Ratio is not null);
            Assert.True(cell.MmapMaxBytes > 0, $"{cell}");
        });
        Assert.Contains(report.Cells, static cell => cell.MmapPerSecond is not null);
    }

    [Fact]
    public void Write_AsJson_HasTheFieldsOfTheDocument()
    {
        BudgetMatrixReport report = run.Need();
        using var document = JsonDocument.Parse(JsonSerializer.Serialize(report, ReportJsonContext.Default.BudgetMatrixReport));
        Assert.Equal(["fileBytes", "budgetBytes", "accesses", "controlGroup", "cells", "staysWithin"], NamesOf(document.RootElement));
        Assert.All(document.RootElement.GetProperty("cells").EnumerateArray(), static cell => Assert.Equal(
            [
                "pattern", "access", "threads", "pageBytes", "windowBytes", "pagerPerSecond", "mmapPerSecond", "residentMaxBytes", "mmapMaxBytes", "mmapFailure", "faults",
                "pagesEvicted", "pagesWrittenBack", "ratio",
            ],
            NamesOf(cell)));
    }

    private static string[] NamesOf(JsonElement element) => [.. element.EnumerateObject().Select(static property => property.Name)];
}
