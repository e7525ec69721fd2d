using System;
using System.Globalization;
using System.IO;
using System.Net;
using System.Text;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Report;

/// <summary>Renders the report: one page with style and pictures inside it, nothing loaded from anywhere.</summary>
internal static class HtmlReport
{
    public static string Render(ReportModel model)
    {
        RestoreDocument document = model.Document;
        var html = new StringBuilder(1 << 18);
        html.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        html.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        Append(html, $"<title>faultline {document.Command}: {document.Clones} clones of {Text(Path.GetFileName(document.Image))}</title>\n");
        html.Append("<style>\n").Append(ReportStyle.Css).Append("\n</style>\n</head>\n<body>\n");
        AppendHead(html, model);
        AppendNumbers(html, document);
        AppendRuns(html, model);
        AppendClones(html, document);
        AppendGuesses(html, document);
        AppendMaps(html, model.Runs[0]);
        AppendLatencies(html, model);
        AppendMemory(html, model);
        AppendGuidance(html, document.Compare);
        return html.Append("</body>\n</html>\n").ToString();
    }

    private static void AppendHead(StringBuilder html, ReportModel model)
    {
        RestoreDocument document = model.Document;
        Append(html, $"<h1>{document.Clones} clones of one image</h1>\n");
        Append(html, $"<p class=\"soft\">{Text(document.Image)}, {Amount.Bytes(document.ImageBytes)}; {Text(model.Machine)}. ");
        Append(html, $"Pattern {document.Pattern}, {Amount.Percent(document.TouchPercent)} of the pages touched, ");
        Append(html, $"{Amount.Percent(document.WritePercent)} of them written; seed {document.Seed}.</p>\n");
        html.Append(document.Verification switch
        {
            "passed" => "<p class=\"good\">Verified: every page read by every clone matches the image, and the image is unchanged.</p>\n",
            "failed" => "<p class=\"bad\">Verification failed.</p>\n",
            _ => "<p class=\"soft\">Verification was not asked for (--verify).</p>\n",
        });
        foreach (string failure in document.Failures)
        {
            Append(html, $"<p class=\"bad\">{Text(failure)}</p>\n");
        }
    }

    private static void AppendNumbers(StringBuilder html, RestoreDocument document)
    {
        html.Append("<div class=\"numbers\">");
        AppendNumber(html, Amount.Milliseconds(document.TimeToFirstByteMs), "to the first byte, slowest clone");
        AppendNumber(html, Amount.Milliseconds(document.TimeToDoneMs), "until the last clone was done");
        AppendNumber(html, Amount.Bytes(document.TotalPssBytes), "for all clones together (PSS)");
        AppendNumber(html, Amount.Bytes(document.StoreBytes), "read from the image");
        html.Append("</div>\n");
    }

    private static void AppendNumber(StringBuilder html, string number, string words) => Append(html, $"<div><b>{number}</b>{words}</div>");

    private static void AppendRuns(StringBuilder html, ReportModel model)
    {
        html.Append("<h2>Ways to restore</h2>\n");
        HtmlTable.Begin(html, "way", "first byte", "done", "minor faults", "missing faults", "read from image", "RSS", "PSS");
        foreach (RunResult run in model.Runs)
        {
            RunDocument document = run.Document;
            HtmlTable.Row(
                html,
                isEmphasised: run.Mode == RestoreMode.Continue,
                run.Mode.Title(),
                Amount.Milliseconds(document.TimeToFirstByteMs),
                Amount.Milliseconds(document.TimeToDoneMs),
                Amount.Count(document.MinorFaults),
                Amount.Count(document.MissingFaults),
                run.Mode == RestoreMode.Mmap ? "by the kernel" : Amount.Bytes(document.StoreBytes),
                Amount.Bytes(document.TotalRssBytes),
                Amount.Bytes(document.TotalPssBytes));
        }

        HtmlTable.End(html);
    }

    private static void AppendClones(StringBuilder html, RestoreDocument document)
    {
        bool isManaged = document.Engine == "managed";
        html.Append("<h2>Clones</h2>\n");
        HtmlTable.Begin(html, "clone", "first byte", "done", "minor faults", "missing faults", "pages resident", "pages written", "RSS", "PSS");
        foreach (CloneDocument clone in document.PerClone)
        {
            string where = isManaged ? "address space" : string.Create(CultureInfo.InvariantCulture, $"process {clone.Pid}");
            HtmlTable.Row(
                html,
                isEmphasised: false,
                string.Create(CultureInfo.InvariantCulture, $"{clone.Index} <span class=\"soft\">({where})</span>"),
                Amount.Milliseconds(clone.TimeToFirstByteMs),
                Amount.Milliseconds(clone.TimeToDoneMs),
                Amount.Count(clone.MinorFaults),
                Amount.Count(clone.MissingFaults),
                Amount.Count(clone.PagesResident),
                Amount.Count(clone.PagesWritten),
                Amount.Bytes(clone.RssBytes),
                Amount.Bytes(clone.PssBytes));
        }

        HtmlTable.End(html);
    }

    private static void AppendGuesses(StringBuilder html, RestoreDocument document)
    {
        PrefetchDocument? prefetch = document.Prefetch is { PagesGuessed: > 0 } guesses ? guesses : null;
        WorkingSetDocument? set = document.WorkingSet is { Replay: not null } replayed ? replayed : null;
        if (prefetch is null && set is null)
        {
            return;
        }

        html.Append("<h2>Guesses</h2>\n");
        HtmlTable.Begin(html, "guessed by", "pages guessed and used", "pages guessed and unused", "faults avoided");
        if (set is not null)
        {
            string avoided = set.FaultsAvoided is { } part ? Amount.Percent(Math.Max(0, part) * 100) : "-";
            string name = $"working set <span class=\"soft\">({Text(Path.GetFileName(set.Replay!))})</span>";
            HtmlTable.Row(html, isEmphasised: false, name, Amount.Count(set.GuessedAndUsed ?? 0), Amount.Count(set.GuessedAndUnused ?? 0), avoided);
        }

        if (prefetch is not null)
        {
            string waits = $"{Amount.Count(prefetch.LoadsAvoided)} <span class=\"soft\">(waits for the store)</span>";
            HtmlTable.Row(html, isEmphasised: false, "prefetch", Amount.Count(prefetch.GuessedAndUsed), Amount.Count(prefetch.GuessedAndUnused), waits);
        }

        HtmlTable.End(html);
    }

    private static void AppendMaps(StringBuilder html, RunResult run)
    {
        html.Append("<h2>Pages of each clone</h2>\n<p class=\"legend\">");
        html.Append("<span><i class=\"touched\"></i>touched, shared</span> <span><i class=\"brought\"></i>installed as a neighbour</span> ");
        html.Append("<span><i class=\"written\"></i>written, the clone's own</span> <span><i class=\"absent\"></i>untouched</span></p>\n");
        for (int clone = 0; clone < run.PageMaps.Count; clone++)
        {
            if (run.PageMaps[clone] is { } map)
            {
                Append(html, $"<h3>clone {clone} <span class=\"soft\">(a cell is {Amount.Bytes(map.PagesPerCell * 4096L)})</span></h3>\n");
                PageMapPicture.Append(html, map, FormattableString.Invariant($"Page map of clone {clone}"));
            }
        }
    }

    private static void AppendLatencies(StringBuilder html, ReportModel model)
    {
        LatencyDocument? latency = model.Document.Latency;
        if (latency is null || model.Runs[0].Latencies.Count == 0)
        {
            return;
        }

        html.Append("<h2>Fault latency in the pager</h2>\n");
        Append(html, $"<p class=\"soft\">From reading a fault's message to waking its thread; {Amount.Count(latency.Count)} faults: ");
        Append(html, $"median {Amount.Microseconds(latency.P50Us)}, 99th percentile {Amount.Microseconds(latency.P99Us)}, ");
        Append(html, $"longest {Amount.Microseconds(latency.MaxUs)}.</p>\n");
        HistogramPicture.Append(html, model.Runs[0].Latencies, "Latency histogram");
    }

    private static void AppendMemory(StringBuilder html, ReportModel model)
    {
        html.Append("<h2>Memory over time</h2>\n<p class=\"soft\">");
        html.Append(model.Document.Engine == "managed"
            ? "Pages and page tables of the managed engine in use, less those before the go-signal.</p>\n"
            : "PSS of all processes of a run, less what they had before the go-signal. Pages that several processes share count once.</p>\n");
        MemoryPicture.Append(html, model.Runs, "Memory of all processes over time, by mode");
    }

    private static void AppendGuidance(StringBuilder html, CompareDocument compare)
    {
        html.Append("<h2>When to use which</h2>\n");
        foreach (string sentence in Guidance.Sentences(compare))
        {
            Append(html, $"<p>{Text(sentence)}</p>\n");
        }
    }

    private static void Append(StringBuilder html, FormattableString text) => html.Append(text.ToString(CultureInfo.InvariantCulture));

    private static string Text(string value) => WebUtility.HtmlEncode(value);
}
