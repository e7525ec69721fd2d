namespace Faultline.Cli.Json;

/// <summary>How long faults took inside the pager, from the message read to the page installed.</summary>
/// <param name="Count">How many were measured.</param>
/// <param name="P50Us">Median, in microseconds.</param>
/// <param name="P99Us">99th percentile.</param>
/// <param name="MaxUs">The longest.</param>
internal sealed record LatencyDocument(long Count, double P50Us, double P99Us, double MaxUs);
