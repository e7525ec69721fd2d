namespace Faultline.Bench;

/// <summary>Something that was not measured.</summary>
/// <param name="What">What is missing.</param>
/// <param name="Reason">Why, and the way to get it.</param>
public sealed record MissingRow(string What, string Reason);
