namespace Faultline.Verification.Kernel;

/// <summary>Where two engines part.</summary>
/// <param name="Index">The step, counted from zero; the number of steps if it is at the end, when everything is closed.</param>
/// <param name="What">What was compared.</param>
/// <param name="Linux">What the kernel showed.</param>
/// <param name="Managed">What the managed engine showed.</param>
internal sealed record Difference(int Index, string What, string Linux, string Managed)
{
    public override string ToString() => $"step {Index}: {What}: the kernel: {Linux}; the managed engine: {Managed}";
}
