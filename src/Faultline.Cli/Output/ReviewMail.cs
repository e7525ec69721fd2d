using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Faultline.Verification.Review;
using Spectre.Console;

namespace Faultline.Cli.Output;

/// <summary>Prints the findings as a reviewer would write them: what is wrong, the shortest history of it, what should be, and how it was seen.</summary>
internal static class ReviewMail
{
    private const int Width = 100;

    public static void Write(IAnsiConsole console, ReviewReport report)
    {
        Line(console, "Each remark of the 2021 review was put back into the managed engine as a defect. For each: what the code does, the");
        Line(console, "shortest history that gives it away (all shorter ones were tried), and the checks that saw it.");
        foreach (ReviewFinding finding in report.Defects)
        {
            Line(console, string.Empty);
            Write(console, finding);
        }

        Line(console, string.Empty);
        WriteTable(console, report);
        Line(console, string.Empty);
        WriteEnd(console, report);
    }

    /// <summary>The names of the checks, for people.</summary>
    public static string Words(string check) => check switch
    {
        "kernel" => "comparison with the running kernel",
        "engine" => "comparison with the engine without the defect",
        "invariant" => "the engine's own invariants",
        _ => "every interleaving of two threads",
    };

    private static void Write(IAnsiConsole console, ReviewFinding finding)
    {
        Line(console, $"{finding.Id}: {finding.Title}");
        Paragraph(console, "> ", finding.Mistake);
        Paragraph(console, string.Empty, finding.Rule);
        if (!finding.IsCaught)
        {
            Line(console, "  NOT CAUGHT: no history shows it.");
            return;
        }

        Line(console, string.Empty);
        for (int i = 0; i < finding.Calls.Count; i++)
        {
            Line(console, string.Create(CultureInfo.InvariantCulture, $"    {i + 1,2}  {finding.Calls[i].Text}"));
        }

        Line(console, string.Empty);
        foreach (ReviewDifference difference in finding.Differences)
        {
            string kernel = difference.Kernel is null ? string.Empty
                : difference.Kernel == difference.Expected ? ", as on the kernel"
                : $"; the kernel of today: {difference.Kernel}";
            Line(console, $"  {difference.Fact}: {difference.Observed}. Should be: {difference.Expected}{kernel}.");
        }

        foreach (string violation in finding.Violations)
        {
            Paragraph(console, "Invariant: ", violation);
        }

        if (finding.Race is { } race)
        {
            Write(console, race);
        }

        string how = string.Join(", ", finding.CaughtBy.Select(Words));
        string things = (finding.CaughtBy[0] == "interleaving", finding.Tried) switch
        {
            (true, 1) => "schedule",
            (true, _) => "schedules",
            (_, 1) => "history",
            _ => "histories",
        };
        string tried = $"{Amount.Count(finding.Tried)} {things}";
        Paragraph(console, string.Empty, $"Caught by: {how}. {tried} tried, {Amount.Milliseconds(finding.Elapsed.TotalMilliseconds)}.");
        if (finding.KernelNote is { } note)
        {
            Paragraph(console, "The kernel was not asked: ", note);
        }
    }

    private static void Write(IAnsiConsole console, ReviewRace race)
    {
        Paragraph(console, "With two threads: ", $"{race.Failure.TrimEnd('.')}.");
        string preemptions = race.Preemptions switch
        {
            0 => "no preemption",
            1 => "one preemption",
            _ => string.Create(CultureInfo.InvariantCulture, $"{race.Preemptions} preemptions"),
        };
        Paragraph(
            console,
            string.Empty,
            $"It takes {preemptions}; schedule {race.Schedules} of the search. The engine without the defect passes {Amount.Count(race.RightSchedules)} schedules, which stand for {(race.RightIsComplete ? "all there are" : "some of them")}.");
    }

    private static void WriteTable(IAnsiConsole console, ReviewReport report)
    {
        Line(console, "The five cases, asked of the engine. Where the two rules differ: 2021 → 6.18.");
        var table = new Table { Border = TableBorder.Rounded };
        foreach (string heading in (IEnumerable<string>)["case", string.Empty, "mapping", "flag", .. report.Table[0].Cells.Skip(1).Select(static cell => cell.Name), "kernel"])
        {
            table.AddColumn(new TableColumn(heading).NoWrap());
        }

        foreach (InstallRow row in report.Table)
        {
            IEnumerable<string> cells = row.Cells.Skip(1).Select(static cell =>
                cell.Review2021 == cell.Linux618 ? cell.Linux618 : $"{cell.Review2021} → {cell.Linux618}");
            table.AddRow(
            [
                row.Case.ToString(CultureInfo.InvariantCulture), row.Operation, row.IsWritable ? "writable" : "read-only", row.WriteProtect ? "WP" : "-", .. cells, Agreement(row),
            ]);
        }

        console.Write(table);
    }

    private static string Agreement(InstallRow row)
    {
        if (row.Cells.Any(static cell => cell.Kernel is null))
        {
            return "n/a";
        }

        IReadOnlyList<InstallCell> other = [.. row.Cells.Where(static cell => !cell.Agrees)];
        return other.Count == 0 ? "agrees" : "DIFFERS: " + string.Join(", ", other.Select(static cell => $"{cell.Name} is {cell.Kernel}"));
    }

    private static void WriteEnd(IAnsiConsole console, ReviewReport report)
    {
        int cells = report.Table.Sum(static row => row.Cells.Count);
        int agreeing = report.Table.Sum(static row => row.Cells.Count(static cell => cell.Kernel == cell.Linux618));
        Line(console, report.KernelMissing is null
            ? $"{agreeing} of {cells} cells of the 6.18 rule are what the running kernel shows."
            : $"The running kernel could not be asked: {report.KernelMissing}");
        Line(console, report.DefaultFailures.Count == 0
            ? $"Without a defect: {Amount.Count(report.DefaultRuns)} histories and schedules by both rules, nothing to report."
            : "Without a defect the engine is wrong too:");
        foreach (string failure in report.DefaultFailures)
        {
            Line(console, "  " + failure);
        }

        int caught = report.Defects.Count(static finding => finding.IsCaught);
        Line(console, $"{caught} of {report.Defects.Count} defects caught, in {Amount.Milliseconds(report.Elapsed.TotalMilliseconds)}.");
    }

    /// <summary>Words, indented by two and wrapped.</summary>
    private static void Paragraph(IAnsiConsole console, string first, string text)
    {
        string indent = "  " + (first == "> " ? first : string.Empty);
        var line = new StringBuilder(first == "> " ? indent : "  " + first);
        bool isEmpty = true;
        foreach (string word in text.Split(' '))
        {
            if (!isEmpty && line.Length + 1 + word.Length > Width)
            {
                Line(console, line.ToString());
                line.Clear().Append(indent);
                isEmpty = true;
            }

            line.Append(isEmpty ? string.Empty : " ").Append(word);
            isEmpty = false;
        }

        Line(console, line.ToString());
    }

    private static void Line(IAnsiConsole console, string text) => console.WriteLine(text.TrimEnd());
}
