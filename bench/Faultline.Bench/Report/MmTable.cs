using System.Globalization;
using System.Text;

namespace Faultline.Bench;

/// <summary>A report of the managed engine as a Markdown table, for reading and for pasting into docs/benchmarks.md.</summary>
public static class MmTable
{
    /// <summary>Writes the table, with the machine above it.</summary>
    public static string Write(MmReport report)
    {
        var text = new StringBuilder();
        Placements placements = report.Placements;
        string two = placements.TwoCpus is { } placement
            ? string.Create(CultureInfo.InvariantCulture, $"two CPUs: {placement.FaultingCpu} (faulting thread) and {placement.HandlerCpu}")
            : "two CPUs: not measured";
        text.Append(CultureInfo.InvariantCulture, $"{report.Machine.Sentence}\n");
        text.Append(CultureInfo.InvariantCulture, $"Medians of {report.Rounds} rounds in turns (fastest to slowest). One CPU: {placements.OneCpu.HandlerCpu}; {two}. Load when it began: {report.Machine.LoadAtStart:0.00}.\n\n");
        text.Append("| measured | placement | managed, ns | beside | ns | ratio | target |\n|---|---|---|---|---|---|---|\n");
        WriteRatio(text, "CONTINUE of 64 MiB, a page", "one CPU", "kernel", report.BulkContinue);
        WriteRatio(text, "CONTINUE of one page", "one CPU", "kernel", report.SingleContinue);
        WriteRatio(text, "COPY of 1 MiB at a time, a page", "one CPU", "kernel", report.BulkCopy);
        WriteRatio(text, "minor fault, round trip", "one CPU", "kernel", report.MinorRoundTrip.OneCpu);
        WriteRatio(text, "minor fault, round trip", "two CPUs", "kernel", report.MinorRoundTrip.TwoCpus);
        WriteRatio(text, "first touch", "one CPU", "kernel", report.FirstTouch);
        WriteRatio(text, "resident load of 8 bytes", "one CPU", "array", report.Load);
        WriteRead(text, report.Read);
        WriteScaling(text, report.ScalingRows);
        WriteLinear(text, report.Linear);
        foreach (MissingRow row in report.Missing)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nNot measured: {row.What}. {row.Reason}\n");
        }

        return text.ToString();
    }

    private static void WriteRatio(StringBuilder text, string name, string placement, string beside, TargetedRatio? row)
    {
        if (row is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {placement} | {Cell(row.Managed)} | {beside} | {Cell(row.Reference)} | {row.Ratio:0.###} | ≤ {row.Target:0.##} |\n");
        }
    }

    private static void WriteRead(StringBuilder text, ReadBandwidth read) =>
        text.Append(CultureInfo.InvariantCulture, $"| bulk read, a page ({read.ManagedGigabytesPerSecond:0.0} and {read.MemcpyGigabytesPerSecond:0.0} GB/s) | one CPU | {Cell(read.Managed)} | memcpy | {Cell(read.Memcpy)} | {read.Ratio:0.###} of its bandwidth | ≥ {read.Target:0.##} |\n");

    private static void WriteScaling(StringBuilder text, MmScaling? scaling)
    {
        if (scaling is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"| first touch by two threads (the kernel: {scaling.Kernel.Ratio:0.##} times the faults of one) | two CPUs | {Cell(scaling.Managed.TwoThreads)} | one thread | {Cell(scaling.Managed.OneThread)} | {scaling.Managed.Ratio:0.###} times the faults | ≥ {scaling.Target:0.##} |\n");
        }
    }

    private static void WriteLinear(StringBuilder text, LinearCalls calls)
    {
        text.Append("\n| 1 GiB, ns for each resident page | a quarter resident | half | all | all ÷ a quarter | target |\n|---|---|---|---|---|---|\n");
        WriteCall(text, "munmap, anonymous", calls.Munmap);
        WriteCall(text, "fork, anonymous", calls.Fork);
        WriteCall(text, "truncate, mapped file", calls.Truncate);
    }

    private static void WriteCall(StringBuilder text, string name, LinearCall call)
    {
        text.Append(CultureInfo.InvariantCulture, $"| {name} |");
        foreach (LinearRow row in call.Rows)
        {
            text.Append(CultureInfo.InvariantCulture, $" {Cell(row.PerPage)} |");
        }

        text.Append(CultureInfo.InvariantCulture, $" {call.Ratio:0.###} | ≤ {call.Target:0.##} |\n");
    }

    private static string Cell(Timing? timing)
    {
        if (timing is null)
        {
            return string.Empty;
        }

        string format = timing.MedianNs < 10 ? "0.00" : "0";
        return $"{Number(timing.MedianNs, format)} ({Number(timing.MinNs, format)}–{Number(timing.MaxNs, format)})";
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
