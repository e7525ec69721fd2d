namespace Faultline.Verification.Review;

/// <summary>One thing that can be seen from outside after a call.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">What was seen.</param>
public readonly record struct ReviewFact(string Name, string Value);
