namespace Faultline;

/// <summary>The faults of a context that wait (Linux: fdinfo). Events are not counted.</summary>
/// <param name="Pending">Queued and not yet read.</param>
/// <param name="Total">Those, and the ones read but not yet woken.</param>
public readonly record struct UserfaultfdCounts(int Pending, int Total);
