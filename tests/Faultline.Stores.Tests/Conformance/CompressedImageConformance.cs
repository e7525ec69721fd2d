namespace Faultline.Stores.Tests;

/// <summary>A compressed image.</summary>
[ConformanceOf(typeof(ImagePageStore))]
public sealed class CompressedImageConformance : ImageStoreConformance
{
    protected override ImageWriterOptions Options => new() { Compression = ImageCompression.Zstandard };
}
