using System.Globalization;
using System.Text;

namespace Faultline.Bench;

/// <summary>A paging report as a Markdown table.</summary>
public static class PagingTable
{
    /// <summary>Writes the table, with the machine above it.</summary>
    public static string Write(PagingReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{report.Machine.Sentence}\nMedians of {report.Rounds} rounds. Load when it began: {report.Machine.LoadAtStart:0.00}.\n\n");
        text.Append("| what | measured | beside | result | target |\n|---|---|---|---|---|\n");
        WriteRow(text, "one page at a time, copied", report.OnePage);
        WriteRow(text, "one page at a time into a page cache of an eighth, evicting", report.Evicting);
        ReplayRow replay = report.Replay;
        text.Append(CultureInfo.InvariantCulture, $"| {replay.Touches} pages over a store that takes {replay.StoreLatencyMs:0} ms, working set brought ahead | {replay.ReplayMs:0} ms | on demand {replay.OnDemandMs:0} ms | {replay.Speedup:0.0} × faster | ≥ {replay.SpeedupTarget:0} |\n");
        text.Append(CultureInfo.InvariantCulture, $"| its faults | {replay.FaultsWithReplay:0} | on demand {replay.FaultsOnDemand:0} | {replay.FaultsAvoided:0.0%} avoided | ≥ {replay.FaultsAvoidedTarget:0%} |\n");
        foreach (PrefetchRow row in report.Prefetch.Rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {row.Order}: {row.Touches} pages over that store, guessed | {row.WithUs:0} µs a page, {row.PagesGuessed:0} guessed, {row.UsedShare:0%} used | without guesses {row.WithoutUs:0} µs | {row.Ratio:0.00} | ≤ {row.Target} |\n");
        }

        RecordingRow recording = report.Recording;
        text.Append(CultureInfo.InvariantCulture, $"| one page at a time, its working set recorded | {recording.WithUs:0.00} µs a page | not recorded {recording.WithoutUs:0.00} µs | {recording.Ratio:0.000} | ≤ {recording.Target} |\n");
        MetricsRow metrics = report.Metrics;
        text.Append(CultureInfo.InvariantCulture, $"| one page at a time, {metrics.Measurements:0.0} measurements of it heard | {metrics.WithUs:0.00} µs a page | no listener {metrics.WithoutUs:0.00} µs | {metrics.Ratio:0.000} | ≤ {metrics.Target} |\n");
        foreach (ImageWorkRow row in report.Images)
        {
            text.Append(CultureInfo.InvariantCulture, $"| image {row.Work}, 64 MiB from a {row.Source}, {row.ReadsAtOnce} reads at a time | {row.ParallelMs:0} ms | one at a time {row.SequentialMs:0} ms | {row.Ratio:0.00} | ≤ {row.Target} |\n");
        }

        SnapshotRow snapshot = report.Snapshot;
        text.Append(CultureInfo.InvariantCulture, $"| snapshot of {snapshot.Bytes >> 20} MiB, {snapshot.WrittenPerSecond:0%} written a second: the pause | {snapshot.PauseMs:0.0} ms | a bare write-protect call {snapshot.BareMs:0.0} ms | {snapshot.PauseRatio:0.00} | ≤ {snapshot.PauseTarget} |\n");
        text.Append(CultureInfo.InvariantCulture, $"| the same: until all was read | {snapshot.ReadMs:0} ms | {snapshot.CopiedPages:0} pages copied | | |\n");
        if (report.Budget is { } budget)
        {
            WriteBudget(text, budget);
        }

        foreach (MissingRow missing in report.Missing)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nNot measured: {missing.What}. {missing.Reason}");
        }

        return text.ToString();
    }

    private static void WriteBudget(StringBuilder text, BudgetMatrixReport budget)
    {
        string beside = budget.ControlGroup is { } version ? $"plain mmap in a memory control group ({version}) of that size" : "no memory control group";
        text.Append(CultureInfo.InvariantCulture, $"\nA file of {budget.FileBytes >> 20} MiB through {budget.BudgetBytes >> 20} MiB, {budget.Accesses} accesses each; beside: {beside}.\n\n");
        text.Append("| order | access | threads | page | accesses/s | mmap | ratio | most resident | evicted | written back |\n|---|---|---|---|---|---|---|---|---|---|\n");
        foreach (BudgetCell cell in budget.Cells)
        {
            string access = cell.Access == "read" ? "read" : "read and write";
            string mmap = cell.MmapPerSecond is { } perSecond ? perSecond.ToString("0", CultureInfo.InvariantCulture) : cell.MmapFailure ?? "-";
            string ratio = cell.Ratio is { } value ? value.ToString("0.00", CultureInfo.InvariantCulture) : "-";
            string page = cell.WindowBytes > cell.PageBytes ? $"{cell.PageBytes >> 10}-{cell.WindowBytes >> 10} KiB" : $"{cell.PageBytes >> 10} KiB";
            text.Append(CultureInfo.InvariantCulture, $"| {cell.Pattern} | {access} | {cell.Threads} | {page} | {cell.PagerPerSecond:0} | {mmap} | {ratio} | {cell.ResidentMaxBytes / 1048576.0:0.0} MiB | {cell.PagesEvicted} | {cell.PagesWrittenBack} |\n");
        }
    }

    private static void WriteRow(StringBuilder text, string what, PagingRow row)
    {
        string beside = row.C is { } c ? string.Create(CultureInfo.InvariantCulture, $"C loop of COPY {c.MedianNs / 1000:0.00} µs") : "no C compiler";
        string ratio = row.Ratio is double value ? value.ToString("0.00", CultureInfo.InvariantCulture) : "-";
        text.Append(CultureInfo.InvariantCulture, $"| {what} | {row.Pager.MedianNs / 1000:0.00} µs a page | {beside} | {ratio} | ≤ {row.Target} |\n");
    }
}
