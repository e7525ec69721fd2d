namespace Faultline.Bench;

/// <summary>A call on 1 GiB of which a part is resident.</summary>
/// <param name="ResidentPages">The pages that are resident.</param>
/// <param name="PerPage">The time of the call, divided by them.</param>
public sealed record LinearRow(int ResidentPages, Timing PerPage);
