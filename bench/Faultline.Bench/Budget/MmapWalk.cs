namespace Faultline.Bench;

/// <summary>How a walk over plain mmap ended.</summary>
/// <param name="ElapsedNs">The time it took, or null if it came to nothing.</param>
/// <param name="PeakBytes">The most bytes charged to the control group.</param>
/// <param name="Failure">Why it came to nothing, or null.</param>
internal sealed record MmapWalk(long? ElapsedNs, long PeakBytes, string? Failure);
