using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Xunit;

namespace Faultline.Bench.Tests;

/// <summary>The walking threads, over ordinary memory: what a pager is asked to get right is what they notice.</summary>
public sealed class WalkTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Walk_PagesWithTheirOwnBytes_IncrementsForEachAccess(int pattern)
    {
        using CompiledHandlers handlers = await NeedAsync();
        using WalkerLibrary walker = new(handlers.Walker);
        using NumberedPages pages = new();
        WalkSpec spec = new((WalkPattern)pattern, IsWrite: true, Threads: 3, Accesses: 1000);
        Assert.True(walker.Walk(pages.Area, spec) > 0);
        Assert.Equal(999UL, pages.SumOfCounters());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Walk_APageWithOtherBytes_IsAnError(bool isWrite)
    {
        using CompiledHandlers handlers = await NeedAsync();
        using WalkerLibrary walker = new(handlers.Walker);
        using NumberedPages pages = new();
        pages.Number(77) = 0;
        WalkSpec spec = new(WalkPattern.Sequential, isWrite, Threads: 2, NumberedPages.Count);
        BenchmarkException error = Assert.Throws<BenchmarkException>(() => walker.Walk(pages.Area, spec));
        Assert.Contains("own bytes", error.Message, StringComparison.Ordinal);
    }

    private static async Task<CompiledHandlers> NeedAsync()
    {
        var missing = new List<MissingRow>();
        CompiledHandlers? handlers = await CompiledHandlers.TryCompileAsync(missing, TestContext.Current.CancellationToken);
        Assert.SkipWhen(handlers is null, missing.Count > 0 ? missing[0].Reason : string.Empty);
        return handlers!;
    }
}
