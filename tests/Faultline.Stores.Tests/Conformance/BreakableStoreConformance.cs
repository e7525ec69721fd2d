using System;
using System.Threading.Tasks;
using Faultline.Mm;
using Faultline.Paging;
using Xunit;

namespace Faultline.Stores.Tests;

/// <summary>What a store must do besides when there is something under it that can break: a leaf says how to break and repair it.</summary>
public abstract class BreakableStoreConformance : StoreConformance
{
    /// <summary>What is read while the store is broken begins here and goes to the end: more than anything keeps of the reads before.</summary>
    private const int BrokenFrom = 600_000;

    [Fact]
    public async Task Read_WhileBroken_SaysWhy_AndWorksWhenRepaired()
    {
        Reading.AssertSame(Contents.AsMemory(200_000, 5000), await Store.BytesAsync(200_000, 5000));
        await BreakAsync();
        Exception cause = await Store.CauseAsync(BrokenFrom, Contents.Length - BrokenFrom);
        Assert.NotEmpty(cause.Message);
        await RepairAsync();
        Reading.AssertSame(Contents.AsMemory(BrokenFrom), await Store.BytesAsync(BrokenFrom, Contents.Length - BrokenFrom));
    }

    [Fact]
    public async Task Map_WhileBroken_ThrowsWithImageRangeAndCause_AndWorksWhenRepaired()
    {
        using var engine = new ManagedEngine();
        using var pager = new Pager(engine);
        using PagedImage image = pager.OpenImage(Store, "the image", StoreOwnership.Caller);
        using PagedMemory memory = pager.Map(image);
        byte[] read = new byte[Contents.Length - BrokenFrom];
        await BreakAsync();
        PageLoadException failed = Assert.Throws<PageLoadException>(() => memory.Read(BrokenFrom, read));
        Assert.Equal("the image", failed.Image);
        Assert.InRange(failed.Offset, BrokenFrom / PageSize.Small * PageSize.Small, (ulong)Contents.Length - 1);
        Assert.NotNull(failed.InnerException);
        await RepairAsync();
        memory.Read(BrokenFrom, read);
        Reading.AssertSame(Contents.AsMemory(BrokenFrom), read);
    }

    /// <summary>Makes reads fail.</summary>
    protected abstract Task BreakAsync();

    /// <summary>Makes reads succeed again.</summary>
    protected abstract Task RepairAsync();
}
