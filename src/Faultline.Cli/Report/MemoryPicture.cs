using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Faultline.Cli.Output;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Report;

/// <summary>Draws memory over time: one line for a run, all on the same scale.</summary>
internal static class MemoryPicture
{
    private const int Width = 960;
    private const int Height = 280;
    private const int Left = 80;
    private const int Right = 940;
    private const int Top = 16;
    private const int Bottom = 250;
    private const int Lines = 4;

    public static void Append(StringBuilder html, IReadOnlyList<RunResult> runs, string title)
    {
        double endMs = 1;
        long mostBytes = 1;
        foreach (RunResult run in runs)
        {
            foreach (MemorySample sample in run.Memory)
            {
                endMs = Math.Max(endMs, sample.TimeMs);
                mostBytes = Math.Max(mostBytes, sample.PssBytes);
            }
        }

        var canvas = new SvgCanvas(html, "chart", Width, Height, title);
        DrawGrid(canvas, endMs, mostBytes);
        foreach (RunResult run in runs)
        {
            var points = new StringBuilder();
            foreach (MemorySample sample in run.Memory)
            {
                double x = Left + ((Right - Left) * sample.TimeMs / endMs);
                double y = Bottom - ((Bottom - Top) * (double)Math.Max(sample.PssBytes, 0) / mostBytes);
                points.Append(CultureInfo.InvariantCulture, $"{x:0.#},{y:0.#} ");
            }

            canvas.Polyline("line " + run.Mode.Word(), points, run.Mode.Title());
        }

        canvas.End();
        html.Append("<p class=\"legend\">");
        foreach (RunResult run in runs)
        {
            html.Append(CultureInfo.InvariantCulture, $"<span><i class=\"{run.Mode.Word()}\"></i>{run.Mode.Title()}</span> ");
        }

        html.Append("</p>\n");
    }

    private static void DrawGrid(SvgCanvas canvas, double endMs, long mostBytes)
    {
        for (int i = 0; i <= Lines; i++)
        {
            double y = Bottom - ((Bottom - Top) * i / (double)Lines);
            double x = Left + ((Right - Left) * i / (double)Lines);
            canvas.Line(i == 0 ? "axis" : "grid", Left, y, Right, y);
            canvas.Words("end", Left - 8, y + 4, Amount.Bytes(mostBytes * i / Lines));
            canvas.Words("middle", x, Bottom + 18, Amount.Milliseconds(endMs * i / Lines));
        }
    }
}
