using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Faultline.Cli.Output;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Report;

/// <summary>Draws the latency histogram: one bar for a power of two of microseconds, height by count.</summary>
internal static class HistogramPicture
{
    private const int Width = 960;
    private const int Height = 220;
    private const int Bottom = 190;
    private const int Top = 24;

    public static void Append(StringBuilder html, IReadOnlyList<LatencyBucket> buckets, string description)
    {
        long most = 1;
        foreach (LatencyBucket bucket in buckets)
        {
            most = Math.Max(most, bucket.Count);
        }

        html.Append(CultureInfo.InvariantCulture, $"<svg class=\"chart\" role=\"img\" viewBox=\"0 0 {Width} {Height}\"><title>{description}</title>\n");
        double slot = Width / (double)Math.Max(buckets.Count, 1);
        for (int i = 0; i < buckets.Count; i++)
        {
            LatencyBucket bucket = buckets[i];
            double height = bucket.Count == 0 ? 0 : Math.Max(1, (Bottom - Top) * (double)bucket.Count / most);
            double x = i * slot;
            html.Append(CultureInfo.InvariantCulture, $"<rect class=\"bar\" x=\"{x + 2:0.#}\" y=\"{Bottom - height:0.#}\" width=\"{slot - 4:0.#}\" height=\"{height:0.#}\">");
            html.Append(CultureInfo.InvariantCulture, $"<title>{Amount.Microseconds(bucket.FromUs)} to {Amount.Microseconds(bucket.ToUs)}: {Amount.Count(bucket.Count)}</title></rect>");
            html.Append(CultureInfo.InvariantCulture, $"<text class=\"tick\" text-anchor=\"middle\" x=\"{x + (slot / 2):0.#}\" y=\"{Bottom - height - 5:0.#}\">{(bucket.Count == 0 ? string.Empty : Amount.Count(bucket.Count))}</text>");
            html.Append(CultureInfo.InvariantCulture, $"<text class=\"tick\" text-anchor=\"middle\" x=\"{x + (slot / 2):0.#}\" y=\"{Bottom + 16}\">&lt; {Amount.Microseconds(bucket.ToUs)}</text>\n");
        }

        html.Append(CultureInfo.InvariantCulture, $"<line class=\"axis\" x1=\"0\" y1=\"{Bottom}\" x2=\"{Width}\" y2=\"{Bottom}\"/></svg>\n");
    }
}
