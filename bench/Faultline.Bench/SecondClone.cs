using System;
using System.Threading;
using Faultline.Paging;

namespace Faultline.Bench;

/// <summary>Shows that a clone which comes after another one has read everything asks the store for nothing.</summary>
public static class SecondClone
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Maps an image, reads all of it, maps it again, reads all of that, and returns the bytes the second reading took from the store.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="imagePath">The image.</param>
    /// <param name="cancellation">Stops between two reads.</param>
    public static long MeasureStoreBytes(IMemoryEngine engine, string imagePath, CancellationToken cancellation)
    {
        using var pager = new Pager(engine);
        using PagedImage image = pager.OpenImage(new FilePageStore(imagePath));
        using PagedMemory first = pager.Map(image);
        ReadAll(first, cancellation);
        long before = image.GetStatistics().StoreBytes;
        if (before == 0)
        {
            throw new BenchmarkException("The first clone was to read the image from the store, and did not.");
        }

        using PagedMemory second = pager.Map(image);
        ReadAll(second, cancellation);
        return image.GetStatistics().StoreBytes - before;
    }

    private static void ReadAll(PagedMemory memory, CancellationToken cancellation)
    {
        byte[] chunk = new byte[ChunkBytes];
        for (ulong offset = 0; offset < memory.Length; offset += ChunkBytes)
        {
            cancellation.ThrowIfCancellationRequested();
            memory.Read(offset, chunk.AsSpan(0, (int)Math.Min(ChunkBytes, memory.Length - offset)));
        }
    }
}
