namespace Faultline.Verification.Kernel;

/// <summary>What random programs may use.</summary>
/// <param name="WithSwap">Page-out: both engines have swap.</param>
/// <param name="WithHugePages">Hugetlb: the kernel's pool has pages.</param>
/// <param name="WithFork">Forks: slow on the kernel's side.</param>
internal sealed record GeneratorOptions(bool WithSwap, bool WithHugePages, bool WithFork);
