using System;
using System.Collections.Generic;
using Xunit;

namespace Faultline.Mm.Tests;

public sealed class BuddyAllocatorTests
{
    [Fact]
    public void Allocate_Everything_EachFrameOnceAndAllComeBack()
    {
        using var memory = new PhysicalMemory(64UL << 20);
        var buddy = new BuddyAllocator(memory);
        var seen = new HashSet<uint>();
        for (uint number = buddy.Allocate(0); number != 0; number = buddy.Allocate(0))
        {
            Assert.True(seen.Add(number));
        }

        Assert.Equal((int)memory.FrameCount - 1, seen.Count);
        Assert.Equal(0U, buddy.Allocate(0));
        foreach (uint number in seen)
        {
            buddy.Free(number, 0);
        }

        Assert.Equal(memory.FrameCount - 1, buddy.AvailableFrames);

        // Joined again: every huge block but the one that frame zero is in.
        int huge = 0;
        while (buddy.Allocate(PhysicalMemory.HugeOrder) != 0)
        {
            huge++;
        }

        Assert.Equal((int)(memory.FrameCount >> PhysicalMemory.HugeOrder) - 1, huge);
    }

    [Fact]
    public void Allocate_Huge_IsAlignedInNumberAndAddress()
    {
        using var memory = new PhysicalMemory(32UL << 20);
        var buddy = new BuddyAllocator(memory);
        uint number = buddy.Allocate(PhysicalMemory.HugeOrder);
        Assert.NotEqual(0U, number);
        Assert.Equal(0U, number & ((1U << PhysicalMemory.HugeOrder) - 1));
        unsafe
        {
            Assert.Equal(0UL, (ulong)memory.BytesAt(number) & (PageSize.Huge - 1));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AllocateAndFree_AtRandom_NeverOverlaps(int seed)
    {
        using var memory = new PhysicalMemory(32UL << 20);
        var buddy = new BuddyAllocator(memory);
        var random = new Random(seed);
        int[] owner = new int[memory.FrameCount];
        var held = new List<(uint Number, int Order)>();
        for (int step = 1; step < 20000; step++)
        {
            if (held.Count == 0 || random.Next(5) < 3)
            {
                int order = random.Next(20) == 0 ? PhysicalMemory.HugeOrder : 0;
                uint number = buddy.Allocate(order);
                if (number == 0)
                {
                    continue;
                }

                for (uint i = 0; i < 1U << order; i++)
                {
                    Assert.Equal(0, owner[number + i]);
                    owner[number + i] = step;
                }

                held.Add((number, order));
            }
            else
            {
                int index = random.Next(held.Count);
                (uint number, int order) = held[index];
                held[index] = held[^1];
                held.RemoveAt(held.Count - 1);
                Array.Clear(owner, (int)number, 1 << order);
                buddy.Free(number, order);
            }
        }

        foreach ((uint number, int order) in held)
        {
            buddy.Free(number, order);
        }

        Assert.Equal(memory.FrameCount - 1, buddy.AvailableFrames);
    }
}
