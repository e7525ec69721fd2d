namespace Faultline.Bench;

/// <summary>How first touches scale from one thread to two.</summary>
/// <param name="Managed">The managed engine.</param>
/// <param name="Kernel">The running kernel on the same two CPUs: what the machine itself allows.</param>
public sealed record MmScaling(ThreadScaling Managed, ThreadScaling Kernel)
{
    /// <summary>What the managed ratio must be at least.</summary>
    public double Target { get; } = 1.7;

    /// <summary>Whether it is.</summary>
    public bool Met => Managed.Ratio >= Target;
}
