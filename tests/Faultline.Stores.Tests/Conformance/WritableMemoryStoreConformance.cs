using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>Bytes in memory that may be written to.</summary>
[ConformanceOf(typeof(WritableMemoryPageStore))]
public sealed class WritableMemoryStoreConformance : StoreConformance
{
    protected override Task<IPageStore> OpenAsync(byte[] contents) => Task.FromResult<IPageStore>(new WritableMemoryPageStore(contents));
}
