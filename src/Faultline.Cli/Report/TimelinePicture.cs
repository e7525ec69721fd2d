using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Net;
using System.Text;

namespace Faultline.Cli.Report;

/// <summary>Draws threads, locks and states of pages over the steps of a history.</summary>
internal static class TimelinePicture
{
    private const int NameWidth = 150;
    private const int Padding = 6;
    private const int LineHeight = 14;

    /// <summary>About the width of a letter at the size of the words.</summary>
    private const double LetterWidth = 6.2;

    public static void Append(StringBuilder html, string title, int columns, IReadOnlyList<TimelineLane> lanes, int firstNumber = 1)
    {
        int columnWidth = Math.Max(110, Math.Min(270, 1080 / Math.Max(columns, 1)));
        int[] heights = [.. lanes.Select(lane => HeightOf(lane, columnWidth))];
        int width = NameWidth + (columns * columnWidth);
        string attributes = string.Create(CultureInfo.InvariantCulture, $" style=\"max-width:{width}px\"");
        var canvas = new SvgCanvas(html, "timeline", width, heights.Sum() + LineHeight + Padding, WebUtility.HtmlEncode(title), attributes);
        for (int column = 0; column < columns; column++)
        {
            int x = NameWidth + (column * columnWidth);
            canvas.Line("grid", x, LineHeight, x, heights.Sum() + LineHeight);
            canvas.Words("start", x + Padding, LineHeight - 3, (column + firstNumber).ToString(CultureInfo.InvariantCulture));
        }

        int top = LineHeight;
        for (int i = 0; i < lanes.Count; i++)
        {
            Draw(canvas, lanes[i], top, heights[i], columnWidth);
            top += heights[i];
        }

        canvas.End();
    }

    private static void Draw(SvgCanvas canvas, TimelineLane lane, int top, int height, int columnWidth)
    {
        canvas.Line("grid", 0, top + height, NameWidth + 4000, top + height);
        canvas.Words("start", 0, top + LineHeight + 2, WebUtility.HtmlEncode(lane.Name));
        foreach (TimelineSpan span in lane.Spans)
        {
            int x = NameWidth + (span.From * columnWidth) + 2;
            int spanWidth = ((span.To - span.From) * columnWidth) - 4;
            canvas.Rectangle(span.Css, x, top + 3, spanWidth, height - 6, WebUtility.HtmlEncode(span.Words));
            int line = 1;
            foreach (string words in Wrap(span.Words, spanWidth))
            {
                canvas.Words("start", x + Padding, top + 1 + (LineHeight * line++), WebUtility.HtmlEncode(words));
            }
        }
    }

    private static int HeightOf(TimelineLane lane, int columnWidth) =>
        (lane.Spans.Select(span => Wrap(span.Words, ((span.To - span.From) * columnWidth) - 4).Count()).DefaultIfEmpty(1).Max() * LineHeight) + 10;

    private static IEnumerable<string> Wrap(string text, int width)
    {
        int letters = (int)((width - (2 * Padding)) / LetterWidth);
        var line = new StringBuilder();
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > letters)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : string.Empty).Append(word);
        }

        yield return line.ToString();
    }
}
