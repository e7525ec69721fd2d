namespace Faultline.Paging;

/// <summary>One fault or lease, as the detector of streams sees it. Pages of the image's table.</summary>
/// <param name="Page">The page touched.</param>
/// <param name="First">The first page that came with it.</param>
/// <param name="End">The end of what came with it.</param>
/// <param name="Outcome">How it was found.</param>
internal readonly record struct PageNeed(int Page, int First, int End, TouchOutcome Outcome);
