namespace Faultline.Stores.Tests;

/// <summary>An image as it is.</summary>
[ConformanceOf(typeof(ImagePageStore))]
public sealed class RawImageConformance : ImageStoreConformance
{
    protected override ImageWriterOptions Options => new() { Compression = ImageCompression.None };
}
