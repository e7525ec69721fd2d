using System;
using System.Globalization;
using System.IO;
using System.Net;
using System.Text;
using Faultline.Cli.Json;
using Faultline.Cli.Output;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Report;

/// <summary>Writes the report: one page with style and pictures inside it, nothing loaded from anywhere.</summary>
internal static class HtmlReport
{
    /// <summary>Checks before a long run that the report can be written at its end; leaves an existing report as it is.</summary>
    public static void CheckWritable(string path)
    {
        try
        {
            bool existed = File.Exists(path);
            using (new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write))
            {
            }

            if (!existed)
            {
                File.Delete(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw ToolException.BadInput($"The report {path} cannot be written: {(e is DirectoryNotFoundException ? "its folder does not exist." : Sentence.Of(e))}");
        }
    }

    public static void Write(string path, ReportModel model)
    {
        try
        {
            File.WriteAllText(path, Render(model));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(ExitCode.Failed, $"The report {path} cannot be written: {Sentence.Of(e)}", e);
        }
    }

    public static string Render(ReportModel model)
    {
        RestoreDocument document = model.Document;
        var html = new StringBuilder(1 << 18);
        html.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        html.Append(CultureInfo.InvariantCulture, $"<title>faultline {document.Command}: {document.Clones} clones of {Text(Path.GetFileName(document.Image))}</title>\n");
        html.Append("<style>\n").Append(ReportStyle.Css).Append("\n</style>\n</head>\n<body>\n");
        AppendHead(html, model);
        AppendRuns(html, model);
        AppendClones(html, document);
        AppendMaps(html, model.Runs[0]);
        AppendLatencies(html, model);
        if (model.Runs[0].Memory.Count > 1)
        {
            html.Append("<h2>Memory over time</h2>\n<p class=\"soft\">PSS of all processes of a run, less what they had before the go-signal. Pages that several processes share count once.</p>\n");
            MemoryPicture.Append(html, model.Runs);
        }

        AppendAdvice(html, document.Compare);
        return html.Append("</body>\n</html>\n").ToString();
    }

    private static void AppendHead(StringBuilder html, ReportModel model)
    {
        RestoreDocument document = model.Document;
        html.Append(CultureInfo.InvariantCulture, $"<h1>{document.Clones} clones of one image</h1>\n<p class=\"soft\">{Text(document.Image)}, {Amount.Bytes(document.ImageBytes)}; {Text(model.Machine)}. ");
        html.Append(CultureInfo.InvariantCulture, $"Pattern {document.Pattern}, {Amount.Percent(document.TouchPercent)} of the pages touched, {Amount.Percent(document.WritePercent)} of them written; seed {document.Seed}.</p>\n");
        string verdict = document.Verification switch
        {
            "passed" => "<p class=\"good\">Verified: every page read by every clone matches the image, and the image is unchanged.</p>\n",
            "failed" => "<p class=\"bad\">Verification failed.</p>\n",
            _ => "<p class=\"soft\">Verification was not asked for (--verify).</p>\n",
        };
        html.Append(verdict);
        foreach (string failure in document.Failures)
        {
            html.Append(CultureInfo.InvariantCulture, $"<p class=\"bad\">{Text(failure)}</p>\n");
        }

        html.Append("<div class=\"numbers\">");
        AppendNumber(html, Amount.Milliseconds(document.TimeToFirstByteMs), "to the first byte, slowest clone");
        AppendNumber(html, Amount.Milliseconds(document.TimeToDoneMs), "until the last clone was done");
        AppendNumber(html, Amount.Bytes(document.TotalPssBytes), "for all clones together (PSS)");
        AppendNumber(html, Amount.Bytes(document.StoreBytes), "read from the image");
        html.Append("</div>\n");
    }

    private static void AppendNumber(StringBuilder html, string number, string words) =>
        html.Append(CultureInfo.InvariantCulture, $"<div><b>{number}</b>{words}</div>");

    private static void AppendRuns(StringBuilder html, ReportModel model)
    {
        html.Append("<h2>Ways to restore</h2>\n<div class=\"scroll\"><table><tr><th>way</th><th>first byte</th><th>done</th><th>minor faults</th><th>missing faults</th><th>read from image</th><th>RSS</th><th>PSS</th></tr>\n");
        foreach (RunResult run in model.Runs)
        {
            RunDocument document = run.Document;
            html.Append(CultureInfo.InvariantCulture, $"<tr{(run.Mode == RestoreMode.Continue ? " class=\"total\"" : string.Empty)}><td>{run.Mode.Title()}</td>");
            AppendCells(html, document.TimeToFirstByteMs, document.TimeToDoneMs, document.MinorFaults, document.MissingFaults);
            string store = run.Mode == RestoreMode.Mmap ? "by the kernel" : Amount.Bytes(document.StoreBytes);
            html.Append(CultureInfo.InvariantCulture, $"<td>{store}</td><td>{Amount.Bytes(document.TotalRssBytes)}</td><td>{Amount.Bytes(document.TotalPssBytes)}</td></tr>\n");
        }

        html.Append("</table></div>\n");
    }

    private static void AppendClones(StringBuilder html, RestoreDocument document)
    {
        html.Append("<h2>Clones</h2>\n<div class=\"scroll\"><table><tr><th>clone</th><th>first byte</th><th>done</th><th>minor faults</th><th>missing faults</th><th>resident</th><th>written</th><th>RSS</th><th>PSS</th></tr>\n");
        foreach (CloneDocument clone in document.PerClone)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{clone.Index} <span class=\"soft\">(process {clone.Pid})</span></td>");
            AppendCells(html, clone.TimeToFirstByteMs, clone.TimeToDoneMs, clone.MinorFaults, clone.MissingFaults);
            html.Append(CultureInfo.InvariantCulture, $"<td>{Amount.Count(clone.PagesResident)}</td><td>{Amount.Count(clone.PagesWritten)}</td>");
            html.Append(CultureInfo.InvariantCulture, $"<td>{Amount.Bytes(clone.RssBytes)}</td><td>{Amount.Bytes(clone.PssBytes)}</td></tr>\n");
        }

        html.Append("</table></div>\n");
    }

    private static void AppendCells(StringBuilder html, double firstMs, double doneMs, long minor, long missing) =>
        html.Append(CultureInfo.InvariantCulture, $"<td>{Amount.Milliseconds(firstMs)}</td><td>{Amount.Milliseconds(doneMs)}</td><td>{Amount.Count(minor)}</td><td>{Amount.Count(missing)}</td>");

    private static void AppendMaps(StringBuilder html, RunResult run)
    {
        html.Append("<h2>Pages of each clone</h2>\n<p class=\"legend\"><span><i class=\"touched\"></i>touched, shared</span> <span><i class=\"brought\"></i>installed as a neighbour</span> ");
        html.Append("<span><i class=\"written\"></i>written, the clone's own</span> <span><i class=\"absent\"></i>untouched</span></p>\n");
        for (int clone = 0; clone < run.PageMaps.Count; clone++)
        {
            PageMap? map = run.PageMaps[clone];
            if (map is not null)
            {
                html.Append(CultureInfo.InvariantCulture, $"<h3>clone {clone} <span class=\"soft\">(a cell is {Amount.Bytes(map.PagesPerCell * 4096L)})</span></h3>\n");
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

        html.Append(CultureInfo.InvariantCulture, $"<h2>Fault latency in the pager</h2>\n<p class=\"soft\">{Amount.Count(latency.Count)} faults: median {Amount.Microseconds(latency.P50Us)}, 99th percentile {Amount.Microseconds(latency.P99Us)}, longest {Amount.Microseconds(latency.MaxUs)}.</p>\n");
        HistogramPicture.Append(html, model.Runs[0].Latencies, "Latency histogram");
    }

    private static void AppendAdvice(StringBuilder html, CompareDocument compare)
    {
        html.Append("<h2>When to use which</h2>\n");
        foreach (string sentence in Guidance.Sentences(compare))
        {
            html.Append(CultureInfo.InvariantCulture, $"<p>{Text(sentence)}</p>\n");
        }
    }

    private static string Text(string value) => WebUtility.HtmlEncode(value);
}
