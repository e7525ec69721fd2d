using System.Linq;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>The guard around the frames notices what it is there for.</summary>
public sealed unsafe class MemoryGuardTests
{
    [Theory]
    [InlineData(-1)]
    [InlineData(32 << 20)]
    public void Write_BesideTheFrames_IsFound(int offset)
    {
        using var memory = new PhysicalMemory(32UL << 20, isGuarded: true);
        Assert.True(memory.TryGrow(out uint first));
        Assert.Empty(memory.FindViolations());
        memory.BytesAt(first)[offset] ^= 1;
        Assert.Contains("beside the frames", Assert.Single(memory.FindViolations()), System.StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ToAFreeFrame_IsFoundWhenItIsHandedOut()
    {
        using var memory = new PhysicalMemory(32UL << 20, isGuarded: true);
        var allocator = new FrameAllocator(memory);
        Folio[] folios = [.. Enumerable.Range(0, 100).Select(_ => allocator.Allocate(0))];
        byte* stale = memory.BytesAt(folios[50].Number);
        stale[7] = 1;
        foreach (Folio folio in folios)
        {
            folio.Record->RefCount = 0;
            allocator.Free(folio);
        }

        Assert.Empty(memory.FindViolations());
        stale[8] = 1;
        for (int i = 0; i < 8000; i++)
        {
            allocator.Allocate(0);
        }

        Assert.Contains("while they were free", Assert.Single(memory.FindViolations()), System.StringComparison.Ordinal);
    }
}
