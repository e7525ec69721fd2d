using System;
using System.Numerics;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>What a shoot-down of a range drops.</summary>
public sealed class SoftwareTlbTests
{
    [Fact]
    public void GroupsOf_OnePage_IsOneGroup()
    {
        for (ulong page = 0; page < 3000; page++)
        {
            Assert.Equal(1, BitOperations.PopCount(SoftwareTlb.GroupsOf(page * PageSize.Small, PageSize.Small)));
        }
    }

    [Fact]
    public void GroupsOf_AnyRange_HasTheGroupOfEveryPage()
    {
        var random = new Random(2021);
        for (int round = 0; round < 20_000; round++)
        {
            ulong first = (ulong)random.NextInt64(1L << 35);
            ulong pages = (ulong)random.Next(1, 1200);
            ulong groups = SoftwareTlb.GroupsOf(first * PageSize.Small, pages * PageSize.Small);
            ulong expected = 0;
            for (ulong page = first; page < first + pages; page++)
            {
                expected |= SoftwareTlb.GroupsOf(page * PageSize.Small, 1);
            }

            Assert.Equal(expected, groups & expected);
            Assert.True(pages > 900 || groups == expected, $"{pages} pages from {first} drop more than they must.");
        }
    }

    [Fact]
    public void GroupsOf_AllAddresses_IsEverything() => Assert.Equal(ulong.MaxValue, SoftwareTlb.GroupsOf(0, PageTable.UserEnd));
}
