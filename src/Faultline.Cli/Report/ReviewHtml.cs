using System;
using System.Globalization;
using System.Linq;
using System.Net;
using System.Text;
using Faultline.Cli.Output;
using Faultline.Verification.Review;

namespace Faultline.Cli.Report;

/// <summary>Renders the findings of <c>check review</c> as one page, with a picture of each history.</summary>
internal static class ReviewHtml
{
    private const string Css = """
        svg.timeline { margin:.4rem 0 1rem; } .call { fill:var(--panel); stroke:var(--rule); } .state { fill:var(--absent); }
        .wrong { fill:var(--written); fill-opacity:.35; } .right { fill:var(--mmap); fill-opacity:.3; }
        svg.timeline .tick { fill:var(--ink); } pre { background:var(--panel); padding:.75rem 1rem; border-radius:.5rem; overflow-x:auto; }
        blockquote { margin:.3rem 0 .7rem; padding-left:.8rem; border-left:3px solid var(--rule); color:var(--soft); }
        i.wrong { background:var(--written); opacity:.35; } i.right { background:var(--mmap); opacity:.3; }
        """;

    public static string Render(ReviewReport report, string machine)
    {
        var html = new StringBuilder(1 << 16);
        html.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        html.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>faultline check review</title>\n");
        html.Append("<style>\n").Append(ReportStyle.Css).Append('\n').Append(Css).Append("\n</style>\n</head>\n<body>\n");
        html.Append("<h1>The review of 2021, mechanised</h1>\n");
        int caught = report.Defects.Count(static finding => finding.IsCaught);
        Append(html, $"<p class=\"soft\">{Text(machine)}. {Amount.Milliseconds(report.Elapsed.TotalMilliseconds)}.</p>\n");
        Append(html, $"<p class=\"{(report.IsPassed ? "good" : "bad")}\">{caught} of {report.Defects.Count} defects caught; ");
        Append(html, $"without a defect {Amount.Count(report.DefaultRuns)} histories and schedules, {report.DefaultFailures.Count} failures.</p>\n");
        if (report.KernelMissing is { } missing)
        {
            Append(html, $"<p class=\"bad\">The running kernel could not be asked: {Text(missing)}</p>\n");
        }

        foreach (string failure in report.DefaultFailures)
        {
            Append(html, $"<p class=\"bad\">{Text(failure)}</p>\n");
        }

        html.Append("<p class=\"legend\"><span><i class=\"wrong\"></i>with the defect</span> <span><i class=\"right\"></i>what should be</span></p>\n");
        foreach (ReviewFinding finding in report.Defects)
        {
            AppendFinding(html, finding);
        }

        AppendTable(html, report);
        return html.Append("</body>\n</html>\n").ToString();
    }

    private static void AppendFinding(StringBuilder html, ReviewFinding finding)
    {
        Append(html, $"<h2>{finding.Id}: {Text(finding.Title)}</h2>\n<blockquote>{Text(finding.Mistake)}</blockquote>\n<p>{Text(finding.Rule)}</p>\n");
        if (!finding.IsCaught)
        {
            html.Append("<p class=\"bad\">Not caught.</p>\n");
            return;
        }

        html.Append("<pre>");
        for (int i = 0; i < finding.Calls.Count; i++)
        {
            Append(html, $"{i + 1,2}  {Text(finding.Calls[i].Text)}\n");
        }

        html.Append("</pre>\n");
        ReviewTimelines.Append(html, finding);
        foreach (ReviewDifference difference in finding.Differences)
        {
            string kernel = difference.Kernel is null ? string.Empty : $"; the kernel shows: {difference.Kernel}";
            Append(html, $"<p>{Text(difference.Fact)}: <b>{Text(difference.Observed)}</b>, should be <b>{Text(difference.Expected)}</b>{Text(kernel)}.</p>\n");
        }

        foreach (string violation in finding.Violations)
        {
            Append(html, $"<p>Invariant: {Text(violation)}</p>\n");
        }

        if (finding.Race is { } race)
        {
            Append(html, $"<p>With two threads: {Text(race.Failure.TrimEnd('.'))}. Schedule <code>{race.Path}</code>; ");
            Append(html, $"the engine without the defect passes {Amount.Count(race.RightSchedules)} schedules, which stand for {(race.RightIsComplete ? "all there are" : "some of them")}.</p>\n");
        }

        string how = string.Join(", ", finding.CaughtBy.Select(ReviewMail.Words));
        Append(html, $"<p class=\"soft\">Caught by: {Text(how)}; {Amount.Count(finding.Tried)} tried, {Amount.Milliseconds(finding.Elapsed.TotalMilliseconds)}.");
        Append(html, $"{(finding.KernelNote is { } note ? " The kernel was not asked: " + Text(note) : string.Empty)}</p>\n");
    }

    private static void AppendTable(StringBuilder html, ReviewReport report)
    {
        html.Append("<h2>The five cases</h2>\n<p class=\"soft\">Asked of the engine; where the rules differ, 2021 → 6.18. The last column is the running kernel's.</p>\n");
        HtmlTable.Begin(html, ["case", "mapping", "flag", .. report.Table[0].Cells.Select(static cell => Text(cell.Name)), "kernel"]);
        foreach (InstallRow row in report.Table)
        {
            string kernel = row.Cells.Any(static cell => cell.Kernel is null) ? "n/a" : row.Cells.All(static cell => cell.Agrees) ? "agrees" : "differs";
            HtmlTable.Row(
                html,
                isEmphasised: kernel == "differs",
                [
                    string.Create(CultureInfo.InvariantCulture, $"{row.Case}: {Text(row.Operation)}"),
                    row.IsWritable ? "writable" : "read-only",
                    row.WriteProtect ? "WP" : "-",
                    .. row.Cells.Select(static cell => Text(cell.Review2021 == cell.Linux618 ? cell.Linux618 : $"{cell.Review2021} → {cell.Linux618}")),
                    kernel,
                ]);
        }

        HtmlTable.End(html);
    }

    private static void Append(StringBuilder html, FormattableString text) => html.Append(text.ToString(CultureInfo.InvariantCulture));

    private static string Text(string value) => WebUtility.HtmlEncode(value);
}
