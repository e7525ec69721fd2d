using System;
using System.Globalization;
using System.Text;

namespace Faultline.Cli.Report;

/// <summary>Writes one picture as inline SVG. Colours come from the classes of the page's style sheet, so that light and dark are decided there.</summary>
internal sealed class SvgCanvas
{
    private readonly StringBuilder _html;

    /// <summary>Begins a picture.</summary>
    /// <param name="html">The page.</param>
    /// <param name="css">The class of the picture.</param>
    /// <param name="width">The width of its coordinates.</param>
    /// <param name="height">The height of its coordinates.</param>
    /// <param name="title">What it shows, for those who cannot see it.</param>
    /// <param name="attributes">More attributes.</param>
    public SvgCanvas(StringBuilder html, string css, int width, int height, string title, string attributes = "")
    {
        _html = html;
        Append($"<svg class=\"{css}\" role=\"img\" viewBox=\"0 0 {width} {height}\"{attributes}><title>{title}</title>\n");
    }

    public void Rectangle(string css, double x, double y, double width, double height, string? title = null)
    {
        Append($"<rect class=\"{css}\" x=\"{x:0.#}\" y=\"{y:0.#}\" width=\"{width:0.#}\" height=\"{height:0.#}\">");
        Append($"{(title is null ? string.Empty : $"<title>{title}</title>")}</rect>\n");
    }

    public void Line(string css, double fromX, double fromY, double toX, double toY) =>
        Append($"<line class=\"{css}\" x1=\"{fromX:0.#}\" y1=\"{fromY:0.#}\" x2=\"{toX:0.#}\" y2=\"{toY:0.#}\"/>\n");

    /// <summary>Words at a point.</summary>
    /// <param name="anchor">What lies on the point: <c>start</c>, <c>middle</c> or <c>end</c> of the words.</param>
    /// <param name="x">The point.</param>
    /// <param name="y">The point: the line the words stand on.</param>
    /// <param name="words">The words, with nothing in them that HTML would read.</param>
    public void Words(string anchor, double x, double y, string words) =>
        Append($"<text class=\"tick\" text-anchor=\"{anchor}\" x=\"{x:0.#}\" y=\"{y:0.#}\">{words}</text>\n");

    public void Path(string css, StringBuilder data) => Append($"<path class=\"{css}\" d=\"{data}\"/>\n");

    public void Polyline(string css, StringBuilder points, string title) =>
        Append($"<polyline class=\"{css}\" points=\"{points}\"><title>{title}</title></polyline>\n");

    public void End() => _html.Append("</svg>\n");

    private void Append(FormattableString text) => _html.Append(text.ToString(CultureInfo.InvariantCulture));
}
