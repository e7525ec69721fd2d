namespace Faultline.Linux;

/// <summary>One thing <see cref="KernelProbe"/> found out about this machine.</summary>
/// <param name="Name">What was looked at, as the kernel calls it.</param>
/// <param name="Value">What was found.</param>
/// <param name="IsOk">Whether that is as it should be.</param>
/// <param name="IsRequired">Whether the main job (restoring an image through minor faults) cannot run without it.</param>
/// <param name="Advice">Empty if it is as it should be; else one sentence: what is lost, and the way to get it.</param>
public readonly record struct KernelFinding(string Name, string Value, bool IsOk, bool IsRequired, string Advice)
{
    /// <summary>This finding as a capability.</summary>
    internal Capability ToCapability() => IsOk ? Capability.Yes : Capability.No(Advice);
}
