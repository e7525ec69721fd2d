namespace Faultline.Stores.Tests;

/// <summary>An image whose chunks are larger than what is read.</summary>
[ConformanceOf(typeof(ImagePageStore))]
public sealed class LargeChunkImageConformance : ImageStoreConformance
{
    protected override ImageWriterOptions Options => new() { ChunkBytes = 1 << 20 };
}
