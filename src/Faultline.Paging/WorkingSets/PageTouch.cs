namespace Faultline.Paging;

/// <summary>Pages of an image that one fault brought to a client for the first time.</summary>
/// <param name="Page">The first page, counted in 4 KiB from the beginning of the image.</param>
/// <param name="Count">How many: the page touched, and the neighbours installed with it.</param>
/// <param name="Kind">What fault it was.</param>
/// <param name="IsWrite">Whether it was a write.</param>
public readonly record struct PageTouch(int Page, int Count, PageFaultKind Kind, bool IsWrite);
