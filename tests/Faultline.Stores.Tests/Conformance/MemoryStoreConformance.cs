using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>Bytes in memory.</summary>
[ConformanceOf(typeof(MemoryPageStore))]
public sealed class MemoryStoreConformance : StoreConformance
{
    protected override Task<IPageStore> OpenAsync(byte[] contents) => Task.FromResult<IPageStore>(new MemoryPageStore(contents));
}
