namespace Faultline;

/// <summary>Page faults taken by one thread.</summary>
/// <param name="Minor">Faults that needed no input (one for each userfault resolved).</param>
/// <param name="Major">Faults that waited for input.</param>
public readonly record struct FaultCounts(long Minor, long Major);
