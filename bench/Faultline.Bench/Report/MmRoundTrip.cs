namespace Faultline.Bench;

/// <summary>Fault, read, CONTINUE, resumed, between two threads, on both engines.</summary>
/// <param name="OneCpu">Both threads on one CPU.</param>
/// <param name="TwoCpus">One thread on each of two CPUs; null where there is one.</param>
public sealed record MmRoundTrip(TargetedRatio OneCpu, TargetedRatio? TwoCpus)
{
    /// <summary>The ratio with two CPUs, where there are two.</summary>
    public double? Ratio => (TwoCpus ?? OneCpu).Ratio;

    /// <summary>The target of <see cref="Ratio"/>.</summary>
    public double Target => (TwoCpus ?? OneCpu).Target;

    /// <summary>Whether both placements are within their targets.</summary>
    public bool? Met => OneCpu.Met != false && TwoCpus?.Met != false;
}
