using System;

namespace Faultline.Bench;

/// <summary>One kind of fault, one page at a time, in each placement and style.</summary>
/// <param name="Target">What the ratio may be at most.</param>
/// <param name="OneCpu">Both threads on one CPU, blocking read.</param>
/// <param name="TwoCpus">One thread on each of two CPUs, blocking read; null where there is one CPU.</param>
/// <param name="OneCpuPolling">As <see cref="OneCpu"/>, with epoll and a read that does not wait.</param>
/// <param name="TwoCpusPolling">As <see cref="TwoCpus"/>, with epoll and a read that does not wait.</param>
public sealed record RoundTrip(double Target, Comparison OneCpu, Comparison? TwoCpus, Comparison OneCpuPolling, Comparison? TwoCpusPolling)
{
    /// <summary>The worse of the two placements with a blocking read; null without C rows.</summary>
    public double? Ratio => TwoCpus?.Ratio is double two && OneCpu.Ratio is double one ? Math.Max(one, two) : OneCpu.Ratio;

    /// <summary>Whether <see cref="Ratio"/> is within <see cref="Target"/>; null without C rows.</summary>
    public bool? Met => Ratio is double ratio ? ratio <= Target : null;
}
