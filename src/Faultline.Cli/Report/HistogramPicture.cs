using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Faultline.Cli.Output;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Report;

/// <summary>Draws the latency histogram: one bar for each doubling of the time, its height by count.</summary>
internal static class HistogramPicture
{
    private const int Width = 960;
    private const int Height = 220;
    private const int Bottom = 190;
    private const int Top = 24;
    private const int Gap = 2;

    public static void Append(StringBuilder html, IReadOnlyList<LatencyBucket> buckets, string title)
    {
        var canvas = new SvgCanvas(html, "chart", Width, Height, title);
        long most = Math.Max(1, buckets.Max(static bucket => bucket.Count));
        double slot = Width / (double)buckets.Count;
        for (int i = 0; i < buckets.Count; i++)
        {
            LatencyBucket bucket = buckets[i];
            double height = bucket.Count == 0 ? 0 : Math.Max(1, (Bottom - Top) * (double)bucket.Count / most);
            double middle = (i + 0.5) * slot;
            string to = Amount.Microseconds(bucket.ToUs);
            string words = $"{Amount.Microseconds(bucket.FromUs)} to {to}: {Amount.Count(bucket.Count)} faults";
            canvas.Rectangle("bar", (i * slot) + Gap, Bottom - height, slot - (2 * Gap), height, words);
            canvas.Words("middle", middle, Bottom - height - 5, bucket.Count == 0 ? string.Empty : Amount.Count(bucket.Count));
            canvas.Words("middle", middle, Bottom + 16, "&lt; " + to);
        }

        canvas.Line("axis", 0, Bottom, Width, Bottom);
        canvas.End();
    }
}
