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
    private const int Left = 80;
    private const int Right = 940;
    private const int Top = 16;
    private const int Bottom = 250;
    private const int Lines = 4;

    public static void Append(StringBuilder html, IReadOnlyList<RunResult> runs)
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

        html.Append("<svg class=\"chart\" role=\"img\" viewBox=\"0 0 960 280\"><title>Memory of all processes over time, by mode</title>\n");
        AppendGrid(html, endMs, mostBytes);
        foreach (RunResult run in runs)
        {
            html.Append(CultureInfo.InvariantCulture, $"<polyline class=\"line {run.Mode.Word()}\" points=\"");
            foreach (MemorySample sample in run.Memory)
            {
                double x = Left + ((Right - Left) * sample.TimeMs / endMs);
                double y = Bottom - ((Bottom - Top) * (double)Math.Max(sample.PssBytes, 0) / mostBytes);
                html.Append(CultureInfo.InvariantCulture, $"{x:0.#},{y:0.#} ");
            }

            html.Append(CultureInfo.InvariantCulture, $"\"><title>{run.Mode.Title()}</title></polyline>\n");
        }

        html.Append("</svg>\n<p class=\"legend\">");
        foreach (RunResult run in runs)
        {
            html.Append(CultureInfo.InvariantCulture, $"<span><i class=\"{run.Mode.Word()}\"></i>{run.Mode.Title()}</span> ");
        }

        html.Append("</p>\n");
    }

    private static void AppendGrid(StringBuilder html, double endMs, long mostBytes)
    {
        for (int i = 0; i <= Lines; i++)
        {
            double y = Bottom - ((Bottom - Top) * i / (double)Lines);
            double x = Left + ((Right - Left) * i / (double)Lines);
            html.Append(CultureInfo.InvariantCulture, $"<line class=\"{(i == 0 ? "axis" : "grid")}\" x1=\"{Left}\" y1=\"{y:0.#}\" x2=\"{Right}\" y2=\"{y:0.#}\"/>");
            html.Append(CultureInfo.InvariantCulture, $"<text class=\"tick\" text-anchor=\"end\" x=\"{Left - 8}\" y=\"{y + 4:0.#}\">{Amount.Bytes(mostBytes * i / Lines)}</text>");
            html.Append(CultureInfo.InvariantCulture, $"<text class=\"tick\" text-anchor=\"middle\" x=\"{x:0.#}\" y=\"{Bottom + 18}\">{Amount.Milliseconds(endMs * i / Lines)}</text>\n");
        }
    }
}
