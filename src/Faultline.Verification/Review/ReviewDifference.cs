namespace Faultline.Verification.Review;

/// <summary>Where a defect shows.</summary>
/// <param name="Fact">What was looked at.</param>
/// <param name="Observed">What was seen with the defect.</param>
/// <param name="Expected">What the right engine shows.</param>
/// <param name="Kernel">What the running kernel shows; null where it was not asked.</param>
public sealed record ReviewDifference(string Fact, string Observed, string Expected, string? Kernel);
