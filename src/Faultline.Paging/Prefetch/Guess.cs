namespace Faultline.Paging;

/// <summary>Pages that may be wanted soon.</summary>
internal readonly record struct Guess(LoadTable Table, int First, int End);
