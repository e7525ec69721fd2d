namespace Faultline.Paging;

/// <summary>How the installing of a range ended.</summary>
/// <param name="Action">What is left to do; <see cref="InstallAction.Done"/> if nothing.</param>
/// <param name="Page">The page of the region it stopped at.</param>
/// <param name="Errno">The engine's answer there.</param>
internal readonly record struct InstallEnd(InstallAction Action, int Page, Errno Errno);
