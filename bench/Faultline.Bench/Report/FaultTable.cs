using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Faultline.Bench;

/// <summary>A report as a Markdown table, for reading and for pasting into docs/benchmarks.md.</summary>
public static class FaultTable
{
    /// <summary>Writes the table, with the machine above it.</summary>
    public static string Write(FaultReport report)
    {
        var text = new StringBuilder();
        WriteMachine(text, report);
        text.Append("| measured | placement | .NET ns/page | C ns/page | ratio | target |\n|---|---|---|---|---|---|\n");
        WriteRoundTrip(text, "minor fault, CONTINUE", report.MinorRoundTrip);
        WriteRoundTrip(text, "missing fault, COPY", report.MissingCopyRoundTrip);
        WritePager(text, "pager ÷ C COPY, one page at a time", report.PagerRoundTrip);
        WritePager(text, "pager ÷ C COPY, reading in order", report.PagerSequential);
        text.Append(CultureInfo.InvariantCulture, $"\n| cached neighbours, one CPU | .NET ns/page | C ns/page | .NET ÷ kernel | .NET ÷ C |\n|---|---|---|---|---|\n");
        text.Append(CultureInfo.InvariantCulture, $"| the kernel's own fault-around | {Cell(report.ContinueRanges.Kernel)} | | 1 | |\n");
        foreach (ContinueRange range in report.ContinueRanges.Ranges)
        {
            text.Append(CultureInfo.InvariantCulture, $"| CONTINUE, {Plural(range.Pages)} at a fault | {Cell(range.Dotnet)} | {Cell(range.C)} | {Number(range.RatioToKernel)} | {Number(range.RatioToC)} |\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"\nAllocated for each fault: {Number(report.AllocatedBytesPerFault)} bytes.\n");
        WriteMissing(text, report.Missing);
        return text.ToString();
    }

    private static void WriteMachine(StringBuilder text, FaultReport report)
    {
        MachineFacts machine = report.Machine;
        Placements placements = report.Placements;
        string two = placements.TwoCpus is { } placement
            ? string.Create(CultureInfo.InvariantCulture, $"two CPUs: faulting thread on {placement.FaultingCpu}, handler on {placement.HandlerCpu}")
            : "two CPUs: not measured";
        text.Append(CultureInfo.InvariantCulture, $"{machine.Sentence}\n");
        text.Append(CultureInfo.InvariantCulture, $"Medians of {report.Rounds} rounds in turns (fastest to slowest). One CPU: both threads on {placements.OneCpu.HandlerCpu}; {two}. Load when it began: {machine.LoadAtStart:0.00}.\n\n");
    }

    private static void WriteRoundTrip(StringBuilder text, string name, RoundTrip trip)
    {
        WriteComparison(text, name, "one CPU", trip.OneCpu, trip.Target);
        WriteComparison(text, name, "two CPUs", trip.TwoCpus, trip.Target);
        WriteComparison(text, name + ", epoll", "one CPU", trip.OneCpuPolling, null);
        WriteComparison(text, name + ", epoll", "two CPUs", trip.TwoCpusPolling, null);
    }

    private static void WritePager(StringBuilder text, string name, PagerComparison rows)
    {
        WritePagerRow(text, name + ", anonymous memory", rows.Anonymous, rows.C, "≤ " + Number(rows.Target));
        WritePagerRow(text, name + ", image (page cache, CONTINUE)", rows.Image, rows.C, string.Empty);
    }

    private static void WritePagerRow(StringBuilder text, string name, PagerRow row, Timing? c, string target)
    {
        text.Append(CultureInfo.InvariantCulture, $"| {name} | one CPU | {Cell(row.Pager)} | {Cell(c)} | {Number(row.Ratio)} | {target} |\n");
        if (row.Floor is { } floor)
        {
            text.Append(CultureInfo.InvariantCulture, $"| the same system calls, no faults, no pager | one CPU | {Cell(floor)} | {Cell(c)} | {Number(Comparison.Of(floor, c).Ratio)} | |\n");
        }
    }

    private static void WriteComparison(StringBuilder text, string name, string placement, Comparison? row, double? target)
    {
        if (row is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {placement} | {Cell(row.Dotnet)} | {Cell(row.C)} | {Number(row.Ratio)} | {(target is null ? string.Empty : "≤ " + Number(target))} |\n");
        }
    }

    private static void WriteMissing(StringBuilder text, IReadOnlyList<MissingRow> missing)
    {
        foreach (MissingRow row in missing)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nNot measured: {row.What}. {row.Reason}\n");
        }
    }

    private static string Cell(Timing? timing) => timing is null
        ? string.Empty
        : string.Create(CultureInfo.InvariantCulture, $"{timing.MedianNs:0} ({timing.MinNs:0}–{timing.MaxNs:0})");

    private static string Number(double? value) => value?.ToString("0.###", CultureInfo.InvariantCulture) ?? string.Empty;

    private static string Plural(int pages) => pages == 1 ? "1 page" : string.Create(CultureInfo.InvariantCulture, $"{pages} pages");
}
