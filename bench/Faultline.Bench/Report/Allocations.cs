using System;

namespace Faultline.Bench;

/// <summary>Managed bytes for each fault, of the handler thread for the round trips, of the whole process for the pager.</summary>
/// <param name="MinorRoundTrip">Read and CONTINUE.</param>
/// <param name="MissingCopyRoundTrip">Read and COPY.</param>
/// <param name="PagerAnonymous">The pager, one page at a time, anonymous memory.</param>
/// <param name="PagerImage">The pager, one page at a time, an image.</param>
public sealed record Allocations(double MinorRoundTrip, double MissingCopyRoundTrip, double PagerAnonymous, double PagerImage)
{
    /// <summary>The largest of them.</summary>
    internal double Largest => Math.Max(Math.Max(MinorRoundTrip, MissingCopyRoundTrip), Math.Max(PagerAnonymous, PagerImage));
}
