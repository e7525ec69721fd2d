using System;
using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>The memory in a core dump: three segments one after another, the last of which goes on in zeroes that the file has not.</summary>
[ConformanceOf(typeof(CorePageStore))]
public sealed class CoreStoreConformance : StoreConformance
{
    private const int Zeroes = 3 * 4096;

    public CoreStoreConformance()
    {
        Contents = Sample.Bytes((1 << 20) + (8 * 4096));
        Contents.AsSpan(Contents.Length - Zeroes).Clear();
    }

    protected override async Task<IPageStore> OpenAsync(byte[] contents)
    {
        const int First = 5 * 4096;
        const int Second = 200 * 4096;
        byte[] third = contents[(First + Second)..^Zeroes];
        byte[] file = CoreFile.Make(
            (0x400000, contents[..First], First),
            (0x10000000, contents[First..(First + Second)], Second),
            (0x20000000, third, (ulong)(third.Length + Zeroes)));
        return await CorePageStore.OpenAsync(new MemoryPageStore(file), "a dump");
    }
}
