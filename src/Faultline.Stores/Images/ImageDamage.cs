namespace Faultline.Stores;

/// <summary>A part of an image that cannot be read, or is not what it should be.</summary>
/// <param name="Offset">Where it begins in the image.</param>
/// <param name="Length">How many bytes it has.</param>
/// <param name="Reason">What is wrong, as a sentence.</param>
public sealed record ImageDamage(ulong Offset, ulong Length, string Reason);
