using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>A cache on disk before a store that can break.</summary>
[ConformanceOf(typeof(CachedPageStore))]
public sealed class CachedStoreConformance : BreakableStoreConformance
{
    private FlakyStore? _below;
    private BlockCache? _cache;

    protected override Task<IPageStore> OpenAsync(byte[] contents)
    {
        _below = new FlakyStore(contents);
        _cache = new BlockCache(Folder.File("cache"), new BlockCacheOptions { BudgetBytes = 1 << 20 });
        return Task.FromResult<IPageStore>(new CachedPageStore(_below, _cache, "contents"));
    }

    protected override Task BreakAsync()
    {
        _below!.IsBroken = true;
        return Task.CompletedTask;
    }

    protected override Task RepairAsync()
    {
        _below!.IsBroken = false;
        return Task.CompletedTask;
    }

    protected override async ValueTask CloseAsync()
    {
        if (_cache is not null)
        {
            await _cache.FlushAsync();
            _cache.Dispose();
        }
    }
}
