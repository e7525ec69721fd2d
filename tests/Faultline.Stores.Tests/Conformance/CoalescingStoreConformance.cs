using System.Threading.Tasks;
using Faultline.Paging;

namespace Faultline.Stores.Tests;

/// <summary>Joined reads of a store that answers late, and can break.</summary>
[ConformanceOf(typeof(CoalescingPageStore))]
public sealed class CoalescingStoreConformance : BreakableStoreConformance
{
    private FlakyStore? _below;

    protected override Task<IPageStore> OpenAsync(byte[] contents)
    {
        _below = new FlakyStore(contents) { Delay = static () => Task.Delay(1) };
        return Task.FromResult<IPageStore>(new CoalescingPageStore(_below, new CoalescingOptions { Requests = 2 }));
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
}
