using System.Linq;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Pages that go when memory is short, and what comes back: MADV_FREE, swap, and how faults on swapped pages are counted.</summary>
[Section("10")]
public abstract class ReclaimConformance(EngineHost host) : ConformanceSuite(host)
{
    // Clean since MADV_FREE: reclaim drops it, and it reads as zero. (The kernel marks pages in batches; the last ones may go to swap.)
    [Fact]
    public void Free_NotWrittenSince_DroppedByReclaim()
    {
        MappedArea area = Freed();
        int dropped = Drop(area);
        Assert.Equal(0UL, Bed.Load(area.At(dropped)));
        Assert.Equal(0UL, Bed.Load(area.At(dropped, PageSize.Small - 8)));
    }

    // Written since: it is ordinary memory again.
    [Fact]
    public void Free_WrittenSince_GoesToSwapAndComesBack()
    {
        MappedArea area = Freed();
        Bed.Store(area.At(1, 8), 5);
        Bed.SwapOut(area.Page(1));
        Assert.True(Bed.Pagemap(area, 1).IsSwap);
        Assert.Equal((Pattern.Word(1, 0), 5UL), (Bed.Load(area.At(1)), Bed.Load(area.At(1, 8))));
    }

    // Until then the contents are there.
    [Fact]
    public void Free_NoReclaim_ContentsStay()
    {
        MappedArea area = Freed();
        Assert.All(Enumerable.Range(0, area.PageTotal), page => Assert.Equal(Pattern.Word((ulong)page, 0), Bed.Load(area.At(page))));
    }

    [Fact]
    public void Free_SwappedPage_GoneAtOnce()
    {
        MappedArea area = Filled();
        Bed.SwapOut(area.Page(0));
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.Free));
        Assert.Equal(0UL, Bed.Pagemap(area, 0).Value);
        Assert.Equal(0UL, Expect.Ok(Bed.Space.Inspector.GetCounters()).Swap);
        Assert.Equal(0UL, Bed.Load(area.At(0)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Free_PoisonOrGuard_PoisonGoesGuardStays(bool poison)
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous);
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        if (poison)
        {
            Expect.Filled(monitor.Uffd.Poison(area.Page(0)), PageSize.Small);
        }
        else
        {
            Expect.Ok(Bed.Space.Advise(area.Page(0), Advice.GuardInstall));
        }

        Expect.Ok(Bed.Space.Advise(area.Range, Advice.Free));
        Assert.Equal(poison, Bed.Pagemap(area, 0).Value == 0);
    }

    // Dropped in an armed area, the page is missing: somebody is asked.
    [Fact]
    public void Free_ArmedAreaDroppedByReclaim_MissingMessage()
    {
        MappedArea area = Filled();
        FaultMonitor monitor = Bed.Watch(area, RegisterModes.Missing);
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.Free));
        int dropped = Drop(area);
        PendingAccess load = Bed.StartLoad(area.At(dropped));
        monitor.ExpectFault(PageFaultFlags.None, area.At(dropped));
        Expect.Filled(monitor.Uffd.Copy(area.At(dropped), Pattern.Bytes(PageSize.Small, 9)), PageSize.Small);
        Assert.Equal(Pattern.Word(9, 0), load.AwaitValue());
    }

    // What has to be read is a major fault; what is still in the swap cache a minor one, so one page of many will do.
    [Theory]
    [InlineData(MemoryKind.Anonymous)]
    [InlineData(MemoryKind.ShmemShared)]
    public void Load_SwappedPages_CountedAsMajorFaults(MemoryKind kind)
    {
        MappedArea area = Bed.Map(kind, pages: 64);
        for (int page = 0; page < area.PageTotal; page++)
        {
            Bed.Store(area.At(page), (ulong)page);
        }

        Bed.SwapOut(area.Range);
        bool wasMajor = false;
        for (int page = 0; page < area.PageTotal && !wasMajor; page += 17)
        {
            wasMajor = Bed.CountLoadFaults(area.At(page)) == new FaultCounts(0, 1);
        }

        Assert.True(wasMajor);
    }

    /// <summary>Has everything reclaimed.</summary>
    /// <returns>A page that was dropped.</returns>
    private int Drop(MappedArea area)
    {
        Bed.SwapOut(area.Range);
        int[] dropped = [.. Enumerable.Range(0, area.PageTotal).Where(page => Bed.Pagemap(area, page).Value == 0)];
        Assert.NotEmpty(dropped);
        return dropped[0];
    }

    private MappedArea Filled()
    {
        MappedArea area = Bed.Map(MemoryKind.Anonymous, pages: 64);
        for (int page = 0; page < area.PageTotal; page++)
        {
            Bed.WriteBytes(area.At(page), Pattern.Bytes(PageSize.Small, (ulong)page));
        }

        return area;
    }

    private MappedArea Freed()
    {
        MappedArea area = Filled();
        Expect.Ok(Bed.Space.Advise(area.Range, Advice.Free));
        return area;
    }
}
