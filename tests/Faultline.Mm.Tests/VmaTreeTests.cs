using System;
using System.Collections.Generic;
using System.Linq;
using Xunit;

namespace Faultline.Mm.Tests;

public sealed class VmaTreeTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void InsertRemoveFind_AtRandom_AgreesWithAList(int seed)
    {
        using var engine = new ManagedEngine(new ManagedEngineOptions { MemoryBytes = 32UL << 20 });
        MmState mm = ((AddressSpace)engine.Home).State;
        var tree = new VmaTree();
        var model = new List<Vma>();
        var random = new Random(seed);
        for (int step = 0; step < 3000; step++)
        {
            ulong page = (ulong)random.Next(1, 2000);
            ulong start = page << 12;
            ulong end = start + ((ulong)random.Next(1, 6) << 12);
            if (random.Next(3) != 0)
            {
                if (!model.Exists(vma => vma.Start < end && start < vma.End))
                {
                    var vma = new Vma(mm, start, end, VmaFlags.Read, page, file: null);
                    tree.Insert(vma);
                    model.Add(vma);
                }
            }
            else if (model.Count != 0)
            {
                Vma vma = model[random.Next(model.Count)];
                tree.Remove(vma);
                model.Remove(vma);
            }

            Assert.Equal(model.Count, tree.Count);
            Assert.Same(model.Where(vma => vma.End > start).MinBy(vma => vma.Start), tree.FindFrom(start));
            Assert.Same(model.Where(vma => vma.End <= start).MaxBy(vma => vma.End), tree.FindBefore(start));
        }

        for (ulong length = 1; length < 40; length++)
        {
            Assert.Equal(HighestGap(model, length << 12, 0x1000, 2100UL << 12), tree.FindGap(length << 12, 0x1000, 0x1000, 2100UL << 12));
        }
    }

    private static ulong HighestGap(List<Vma> mappings, ulong length, ulong low, ulong high)
    {
        for (ulong start = high - length; start >= low; start -= 0x1000)
        {
            if (!mappings.Exists(vma => vma.Start < start + length && start < vma.End))
            {
                return start;
            }
        }

        return 0;
    }
}
