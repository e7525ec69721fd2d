using System;
using System.Collections.Generic;
using System.Linq;
using Xunit;

namespace Faultline.Mm.Tests;

public sealed class PageCacheTests
{
    [Theory]
    [InlineData(1, 1000)]
    [InlineData(2, 1UL << 20)]
    [InlineData(3, 1UL << 51)]
    public void InsertFindRemove_AtRandom_AgreesWithASortedDictionary(int seed, ulong range)
    {
        using var memory = new PhysicalMemory(32UL << 20);
        var cache = new PageCache(memory);
        var model = new SortedDictionary<ulong, CacheEntry>();
        var random = new Random(seed);
        for (int step = 0; step < 20000; step++)
        {
            ulong index = (ulong)random.NextInt64((long)range);
            if (random.Next(4) == 0 && model.Count != 0)
            {
                index = model.Keys.ElementAt(random.Next(Math.Min(model.Count, 8)));
            }

            var entry = CacheEntry.Of(new SwapSlot((uint)random.Next(1, 1000)));
            if (random.Next(2) == 0)
            {
                Assert.Equal(model.TryAdd(index, entry), cache.TryInsert(index, entry));
            }
            else if (model.TryGetValue(index, out CacheEntry there))
            {
                Assert.True(cache.TryRemove(index, there));
                model.Remove(index);
            }
            else
            {
                Assert.False(cache.TryRemove(index, entry));
            }

            Assert.Equal(model.GetValueOrDefault(index), cache.Find(index));
        }

        Assert.Equal(model.Count, cache.SwapCount);
        ulong next = 0;
        foreach (KeyValuePair<ulong, CacheEntry> expected in model)
        {
            Assert.True(cache.TryFindNext(next, out ulong found, out CacheEntry entry));
            Assert.Equal((expected.Key, expected.Value), (found, entry));
            next = found + 1;
        }

        Assert.False(cache.TryFindNext(next, out _, out _));
    }
}
