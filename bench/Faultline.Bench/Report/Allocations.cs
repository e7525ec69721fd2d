using System;

namespace Faultline.Bench;

/// <summary>Managed bytes for each fault, of the handler thread.</summary>
/// <param name="MinorRoundTrip">Read and CONTINUE.</param>
/// <param name="MissingCopyRoundTrip">Read and COPY.</param>
public sealed record Allocations(double MinorRoundTrip, double MissingCopyRoundTrip)
{
    /// <summary>The largest of them.</summary>
    internal double Largest => Math.Max(MinorRoundTrip, MissingCopyRoundTrip);
}
