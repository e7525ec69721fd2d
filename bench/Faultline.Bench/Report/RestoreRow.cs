namespace Faultline.Bench;

/// <summary>One way to give clones their pages. Times are medians over the rounds, of the slowest clone; amounts are medians too.</summary>
/// <param name="Clones">The clones, one process each.</param>
/// <param name="TotalPssBytes">The PSS of the image mappings of all clones and of the pager: what the image costs in memory.</param>
/// <param name="TimeToFirstByteMs">From the go-signal until the slowest clone had its first byte.</param>
/// <param name="TimeToDoneMs">From the go-signal until the slowest clone had touched every page.</param>
/// <param name="StoreBytes">Bytes read from the image file.</param>
/// <param name="MinorFaults">Faults on pages that were cached.</param>
/// <param name="MissingFaults">Faults on pages that were nowhere yet.</param>
public sealed record RestoreRow(
    int Clones, long TotalPssBytes, double TimeToFirstByteMs, double TimeToDoneMs, long StoreBytes, long MinorFaults, long MissingFaults);
