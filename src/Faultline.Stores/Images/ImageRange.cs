namespace Faultline.Stores;

/// <summary>A part of an image.</summary>
/// <param name="Offset">Where it begins.</param>
/// <param name="Length">How many bytes it has.</param>
public readonly record struct ImageRange(ulong Offset, ulong Length);
