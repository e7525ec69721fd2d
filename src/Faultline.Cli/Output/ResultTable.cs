using System.Collections.Generic;
using Faultline.Cli.Json;
using Faultline.Cli.Restore;
using Spectre.Console;

namespace Faultline.Cli.Output;

/// <summary>The table at the end of a run: clones, their total, and the same work done in other ways.</summary>
internal static class ResultTable
{
    /// <summary>More clones than this are summed up in one row.</summary>
    private const int MaxCloneRows = 16;

    public static void Write(IAnsiConsole console, RestoreDocument document)
    {
        var table = new Table { Border = TableBorder.Rounded };
        table.AddColumn(new TableColumn(string.Empty).NoWrap());
        foreach (string heading in (string[])["first byte", "done", "minor", "missing", "store", "RSS", "PSS"])
        {
            table.AddColumn(new TableColumn(heading).RightAligned().NoWrap());
        }

        for (int i = 0; i < document.PerClone.Count && i < MaxCloneRows; i++)
        {
            AddClone(table, document.PerClone[i]);
        }

        if (document.PerClone.Count > MaxCloneRows)
        {
            table.AddRow($"[grey]and {document.PerClone.Count - MaxCloneRows} more clones[/]");
        }

        AddRun(table, RestoreMode.Continue, document, "[bold]", "[/]");
        if (document.Compare.IsEmpty)
        {
            console.Write(table);
            return;
        }

        table.AddEmptyRow();
        foreach ((RestoreMode mode, RunDocument? run) in Comparisons(document.Compare))
        {
            if (run is not null)
            {
                AddRun(table, mode, run, string.Empty, string.Empty);
            }
        }

        if (document.Compare.MmapNotAvailable is not null)
        {
            table.AddRow("plain mmap", "[grey]n/a[/]");
        }

        console.Write(table);
    }

    public static IEnumerable<(RestoreMode Mode, RunDocument? Run)> Comparisons(CompareDocument compare) =>
        [(RestoreMode.Copy, compare.Copy), (RestoreMode.Eager, compare.Eager), (RestoreMode.Mmap, compare.Mmap)];

    private static void AddClone(Table table, CloneDocument clone)
    {
        if (clone.Failure is not null && clone.TimeToDoneMs == 0)
        {
            table.AddRow($"clone {clone.Index}", "[red]failed[/]");
            return;
        }

        table.AddRow(
            $"clone {clone.Index}",
            Amount.Milliseconds(clone.TimeToFirstByteMs),
            Amount.Milliseconds(clone.TimeToDoneMs),
            Amount.Count(clone.MinorFaults),
            Amount.Count(clone.MissingFaults),
            string.Empty,
            Amount.Bytes(clone.RssBytes),
            Amount.Bytes(clone.PssBytes));
    }

    private static void AddRun(Table table, RestoreMode mode, RunDocument run, string open, string close)
    {
        string store = mode == RestoreMode.Mmap ? "[grey]kernel[/]" : Amount.Bytes(run.StoreBytes);
        string name = mode switch
        {
            RestoreMode.Continue => "all clones",
            RestoreMode.Copy => "with COPY",
            RestoreMode.Eager => "eager read",
            _ => "plain mmap",
        };
        table.AddRow(
            open + name + close,
            open + Amount.Milliseconds(run.TimeToFirstByteMs) + close,
            open + Amount.Milliseconds(run.TimeToDoneMs) + close,
            open + Amount.Count(run.MinorFaults) + close,
            open + Amount.Count(run.MissingFaults) + close,
            open + store + close,
            open + Amount.Bytes(run.TotalRssBytes) + close,
            open + Amount.Bytes(run.TotalPssBytes) + close);
    }
}
