using System;
using System.Text;

namespace Faultline.Cli.Report;

/// <summary>Writes a table; what it is given is HTML already.</summary>
internal static class HtmlTable
{
    public static void Begin(StringBuilder html, params ReadOnlySpan<string> headings)
    {
        html.Append("<div class=\"scroll\"><table>");
        AppendRow(html, "th", isEmphasised: false, headings);
    }

    public static void Row(StringBuilder html, bool isEmphasised, params ReadOnlySpan<string> cells) => AppendRow(html, "td", isEmphasised, cells);

    public static void End(StringBuilder html) => html.Append("</table></div>\n");

    private static void AppendRow(StringBuilder html, string tag, bool isEmphasised, ReadOnlySpan<string> cells)
    {
        html.Append(isEmphasised ? "<tr class=\"total\">" : "<tr>");
        foreach (string cell in cells)
        {
            html.Append('<').Append(tag).Append('>').Append(cell).Append("</").Append(tag).Append('>');
        }

        html.Append("</tr>\n");
    }
}
