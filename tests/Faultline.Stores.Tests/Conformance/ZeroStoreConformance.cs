using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>Nothing but zeroes.</summary>
[ConformanceOf(typeof(ZeroPageStore))]
public sealed class ZeroStoreConformance : StoreConformance
{
    public ZeroStoreConformance() => Contents = new byte[Sample.OddLength];

    protected override Task<IPageStore> OpenAsync(byte[] contents) => Task.FromResult<IPageStore>(new ZeroPageStore((ulong)contents.Length));
}
