namespace Faultline.Verification.Review;

/// <summary>One cell of the table of the five cases.</summary>
/// <param name="Name">What is looked at.</param>
/// <param name="Review2021">What the engine shows by the rule of 2021.</param>
/// <param name="Linux618">What it shows by the rule of 6.18.</param>
/// <param name="Kernel">What the running kernel shows; null where it cannot be asked.</param>
public sealed record InstallCell(string Name, string Review2021, string Linux618, string? Kernel)
{
    /// <summary>Whether the rule of 6.18 and the kernel agree, or the kernel cannot be asked.</summary>
    public bool Agrees => Kernel is null || Kernel == Linux618;
}
