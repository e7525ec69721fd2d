namespace Faultline.Stores;

/// <summary>The image that a layer builds on.</summary>
/// <param name="Name">Where it is, relative to the layer: a file name, or folders and a file name.</param>
/// <param name="Digest">What it must be.</param>
public sealed record ImageBase(string Name, ImageDigest Digest);
