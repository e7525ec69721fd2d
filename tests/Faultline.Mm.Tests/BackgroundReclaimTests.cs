using Faultline.Conformance;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>Reclaim by a thread of its own, and what comes back soon after it went.</summary>
public sealed class BackgroundReclaimTests
{
    private const ulong Page = PageSize.Small;
    private const ulong LimitPages = 512;

    [Fact]
    public void Allocations_NearTheLimit_WakeItAndItStopsAtTheHighMark()
    {
        using ManagedEngine engine = Engine(isOn: true);
        var marks = Watermarks.Of((long)LimitPages);
        using IMemoryAccess access = engine.Home.OpenAccess().OrThrow("access");
        VirtualAddress start = engine.Home.Map(MapRequest.PrivateAnonymous(1024 * Page)).OrThrow("mmap");
        ulong page = 0;
        for (; page < (ulong)marks.WakesAbove - 8; page++)
        {
            Assert.True(access.Store(start + (page * Page), page).IsOk);
        }

        Assert.Equal(0, engine.Background!.Wakes);
        for (; page < 800; page++)
        {
            Assert.True(access.Store(start + (page * Page), page).IsOk);
        }

        // The last allocations may have needed no wake; below the mark that wakes it nothing has to happen.
        Testbed.Until("enough pages are free again", () => engine.System.Group.ChargedPages <= marks.WakesAbove);
        Assert.True(engine.Background.Wakes > 0);
        Assert.Empty(engine.FindViolations());
        for (ulong check = 0; check < page; check++)
        {
            Assert.True(access.Load(start + (check * Page), out ulong value).IsOk);
            Assert.Equal(check, value);
        }
    }

    [Theory]
    [InlineData(false, LimitPages, true)]
    [InlineData(true, 0UL, true)]
    [InlineData(true, LimitPages, false)]
    public void Engine_NotAskedOrWithoutLimitOrSwap_HasNoThread(bool isOn, ulong limitPages, bool hasSwap)
    {
        using var engine = new ManagedEngine(new ManagedEngineOptions
        {
            MemoryBytes = 32UL << 20,
            MemoryLimitBytes = limitPages * Page,
            Swap = hasSwap ? new MemorySwapDevice(64) : null,
            ReclaimsInBackground = isOn,
        });
        Assert.Null(engine.Background);
    }

    // A page that is asked for again soon after it went is put where reclaim looks last.
    [Fact]
    public void Refault_SoonAfterEviction_PageIsActive()
    {
        using ManagedEngine engine = Engine(isOn: false);
        using IMemoryAccess access = engine.Home.OpenAccess().OrThrow("access");
        AddressRange range = new(engine.Home.Map(MapRequest.PrivateAnonymous(256 * Page)).OrThrow("mmap"), 256 * Page);
        for (ulong page = 0; page < 256; page++)
        {
            Assert.True(access.Store(range.Start + (page * Page), page).IsOk);
        }

        Assert.True(engine.Home.Advise(range.Slice(0, Page), Advice.PageOut).IsOk);
        Assert.True(access.Load(range.Start, out _).IsOk);
        Assert.Equal(1, engine.System.Pool.Lru.PagesOf(LruKind.ActiveAnonymous));

        // Long after: more have gone since than memory holds.
        Assert.True(engine.Home.Advise(range, Advice.PageOut).IsOk);
        Assert.True(access.Load(range.Start, out _).IsOk);
        Assert.Equal(0, engine.System.Pool.Lru.PagesOf(LruKind.ActiveAnonymous));
        Assert.Empty(engine.FindViolations());
    }

    private static ManagedEngine Engine(bool isOn) => new(new ManagedEngineOptions
    {
        MemoryBytes = 32UL << 20,
        MemoryLimitBytes = LimitPages * Page,
        Swap = new MemorySwapDevice(4096),
        ReclaimsInBackground = isOn,
        GuardsMemory = true,
    });
}
