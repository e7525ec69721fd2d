using System.Globalization;
using System.Text;

namespace Faultline.Bench;

/// <summary>A restore report as a Markdown table, for reading and for pasting into docs/benchmarks.md.</summary>
public static class RestoreTable
{
    private const double MiB = 1 << 20;

    /// <summary>Writes the table, with the machine above it.</summary>
    public static string Write(RestoreReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{report.Machine.Sentence}\n");
        text.Append(CultureInfo.InvariantCulture, $"{report.Clones} clones of an image of {report.ImageBytes / MiB:0} MiB, every page read, {(report.Verified ? "verified" : "NOT VERIFIED")}; medians of {report.Rounds} rounds. Load when it began: {report.Machine.LoadAtStart:0.00}.\n\n");
        text.Append("| way | PSS of all clones | images | first byte | done | from the file | minor faults | missing faults |\n|---|---|---|---|---|---|---|---|\n");
        WriteRow(text, report, "Faultline: minor faults, CONTINUE", report.Main);
        WriteRow(text, report, "userfaultfd with COPY", report.Compare.Copy);
        WriteRow(text, report, "read eagerly", report.Compare.Eager);
        WriteRow(text, report, "mmap(MAP_PRIVATE)", report.Compare.Mmap);
        text.Append("\n| measured | value | target |\n|---|---|---|\n");
        text.Append(CultureInfo.InvariantCulture, $"| memory of all clones, in images | {report.PssRatio:0.###} | ≤ {report.PssTarget:0.##} |\n");
        text.Append(CultureInfo.InvariantCulture, $"| first byte of the slowest clone ÷ one process reading the image eagerly ({report.OneEagerReaderMs:0} ms) | {report.FirstByteRatio:0.####} | ≤ {report.FirstByteTarget:0.##} |\n");
        text.Append(CultureInfo.InvariantCulture, $"| store bytes of a second clone | {report.SecondCloneStoreBytes} | 0 |\n");
        return text.ToString();
    }

    private static void WriteRow(StringBuilder text, RestoreReport report, string way, RestoreRow row) =>
        text.Append(CultureInfo.InvariantCulture, $"| {way} | {row.TotalPssBytes / MiB:0} MiB | {(double)row.TotalPssBytes / report.ImageBytes:0.00} | {row.TimeToFirstByteMs:0.0} ms | {row.TimeToDoneMs:0} ms | {row.StoreBytes / MiB:0} MiB | {row.MinorFaults} | {row.MissingFaults} |\n");
}
