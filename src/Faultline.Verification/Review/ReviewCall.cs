using System.Collections.Generic;

namespace Faultline.Verification.Review;

/// <summary>One call of a history.</summary>
/// <param name="Text">The call.</param>
/// <param name="Observed">What is seen after it with the defect; empty for the calls that only set the scene.</param>
/// <param name="Expected">What should have been seen.</param>
public sealed record ReviewCall(string Text, IReadOnlyList<ReviewFact> Observed, IReadOnlyList<ReviewFact> Expected)
{
    /// <summary>The locks the engine takes in it, outermost first: those of mappings, files, pages, tables and caches.</summary>
    public IReadOnlyList<string> Locks { get; init; } = [];
}
