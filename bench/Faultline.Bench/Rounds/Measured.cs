namespace Faultline.Bench;

/// <summary>What the rounds of one row gave.</summary>
/// <param name="Timing">Nanoseconds for each page.</param>
/// <param name="Faults">The faults of one round.</param>
/// <param name="AllocatedBytesPerFault">Managed bytes for each fault, in the median round.</param>
internal sealed record Measured(Timing Timing, double Faults, double AllocatedBytesPerFault);
