namespace Faultline.Stores.Tests;

/// <summary>An image in chunks of a page.</summary>
[ConformanceOf(typeof(ImagePageStore))]
public sealed class SmallChunkImageConformance : ImageStoreConformance
{
    protected override ImageWriterOptions Options => new() { ChunkBytes = 4096 };
}
