namespace Faultline.Stores;

/// <summary>How far a long work on an image has come.</summary>
/// <param name="Done">The bytes dealt with.</param>
/// <param name="Total">All of them.</param>
public readonly record struct ImageProgress(ulong Done, ulong Total);
