namespace Faultline.Cli.Restore;

/// <summary>One bar of the latency histogram.</summary>
/// <param name="FromUs">Its lower bound in microseconds, included.</param>
/// <param name="ToUs">Its upper bound, not included.</param>
/// <param name="Count">The faults in between.</param>
internal readonly record struct LatencyBucket(double FromUs, double ToUs, long Count);
