using System;
using System.Collections.Generic;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>What is the managed engine's own about huge pages: the size of its pool, and what it does better than the kernel.</summary>
public sealed class HugetlbTests
{
    private const ulong Huge = PageSize.Huge;

    [Fact]
    public void Engine_WithoutHugePages_SaysSoAndRefusesMappings()
    {
        using var engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 32UL << 20 });
        Assert.False(engine.Capabilities.HugePages.IsAvailable);
        Assert.Contains(nameof(ManagedEngineOptions.HugePages), engine.Capabilities.HugePages.Reason, StringComparison.Ordinal);
        Assert.Equal(Errno.ENOMEM, engine.Home.Map(Private(1)).Errno);
        VirtualAddress mapped = engine.Home.Map(Private(1, MapOptions.NoReserve)).OrThrow("mmap");
        using IMemoryAccess access = engine.Home.OpenAccess().OrThrow("access");
        Assert.Equal(AccessFault.BusError, access.Store(mapped, 1).Fault);
    }

    [Fact]
    public void Engine_MoreHugePagesThanMemory_Throws()
    {
        MemoryEngineException error = Assert.Throws<MemoryEngineException>(
            () => new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 32UL << 20, HugePages = 40 }));
        Assert.Equal(Errno.ENOMEM, error.Errno);
    }

    [Fact]
    public void HugePages_OfAnEngine_CountWhatIsFreeAndPromised()
    {
        using var engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 64UL << 20, HugePages = 8 });
        Assert.Equal(new HugePageCounts(8, 8, 0), engine.HugePages);
        VirtualAddress mapped = engine.Home.Map(Private(3)).OrThrow("mmap");
        using IMemoryAccess access = engine.Home.OpenAccess().OrThrow("access");
        Assert.True(access.Store(mapped + Huge, 1).IsOk);
        Assert.Equal(new HugePageCounts(8, 7, 2), engine.HugePages);
        engine.Home.Unmap(new AddressRange(mapped, 3 * Huge)).OrThrow("munmap");
        Assert.Equal(new HugePageCounts(8, 8, 0), engine.HugePages);
        AssertAddsUp(engine);
    }

    // The bytes of a huge page follow each other, so a lease of it is one piece.
    [Fact]
    public void TryGetSpan_ResidentHugePage_IsOnePiece()
    {
        using var engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 32UL << 20, HugePages = 2 });
        VirtualAddress mapped = engine.Home.Map(Private(1)).OrThrow("mmap");
        using IMemoryAccess access = engine.Home.OpenAccess().OrThrow("access");
        byte[] contents = Pattern.Bytes(Huge, 5);
        Assert.True(access.Write(mapped, contents).IsOk);
        Assert.True(engine.Home.TryGetSpan(new AddressRange(mapped + 100, Huge - 200), out Span<byte> span));
        Assert.True(span.SequenceEqual(contents.AsSpan(100, (int)Huge - 200)));
    }

    // Linux gives the grandchild a page of zeroes: what was lost there would look as if it had never been.
    [Fact]
    public void Fork_OfAChildThatLostAPage_IsABusErrorToo()
    {
        using var engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 32UL << 20, HugePages = 2 });
        IAddressSpace space = engine.Home;
        VirtualAddress mapped = space.Map(Private(2)).OrThrow("mmap");
        using IMemoryAccess access = space.OpenAccess().OrThrow("access");
        Assert.True(access.Store(mapped, 7).IsOk);
        using IAddressSpace child = space.Fork().OrThrow("fork");
        Assert.True(access.Store(mapped, 8).IsOk);
        using IAddressSpace grandchild = child.Fork().OrThrow("fork");
        space.Unmap(new AddressRange(mapped, 2 * Huge)).OrThrow("munmap");
        using IMemoryAccess late = grandchild.OpenAccess().OrThrow("access");
        Assert.Equal(AccessFault.BusError, late.Load(mapped, out _).Fault);
        AssertAddsUp(engine);
    }

    private static MapRequest Private(ulong pages, MapOptions more = MapOptions.None)
    {
        var request = MapRequest.PrivateAnonymous(pages * Huge);
        return request with { Options = request.Options | MapOptions.HugeTlb | more };
    }

    private static void AssertAddsUp(ManagedEngine engine)
    {
        IReadOnlyList<string> violations = engine.FindViolations();
        Assert.True(violations.Count == 0, string.Join('\n', violations));
    }
}
