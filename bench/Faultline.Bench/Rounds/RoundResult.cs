namespace Faultline.Bench;

/// <summary>What one round took.</summary>
/// <param name="ElapsedNs">From before the first page to after the last, taken by the touching thread.</param>
/// <param name="Faults">The faults the handler read; zero for the kernel's own.</param>
/// <param name="AllocatedBytes">The managed bytes the handler allocated.</param>
internal readonly record struct RoundResult(long ElapsedNs, long Faults, long AllocatedBytes);
