using System;
using System.Linq;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>The small parts that need no engine.</summary>
public sealed class PartsTests
{
    [Fact]
    public void PageBits_SetAndClear_TouchTheirRangeOnly()
    {
        PageBits bits = new(300);
        bool[] model = new bool[300];
        Random random = new(5);
        for (int round = 0; round < 2000; round++)
        {
            int first = random.Next(300);
            int count = random.Next(0, 300 - first);
            bool set = random.Next(2) == 0;
            if (set)
            {
                bits.Set(first, count);
            }
            else
            {
                bits.Clear(first, count);
            }

            model.AsSpan(first, count).Fill(set);
            Assert.Equal(model, Enumerable.Range(0, 300).Select(page => bits[page]));
            Assert.Equal(model.AsSpan(first, count).Contains(true), bits.Any(first, count));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(1000)]
    [InlineData(123_456_789)]
    [InlineData(long.MaxValue)]
    public void LatencyHistogram_AnyDuration_IsRightToSixPercent(long nanoseconds)
    {
        LatencyHistogram histogram = new();
        histogram.Record(nanoseconds);
        LatencySnapshot snapshot = histogram.Snapshot();
        Assert.Equal(1, snapshot.Count);
        Assert.Equal(nanoseconds, snapshot.Max);
        long bound = snapshot.Buckets().Single().Key;
        if (nanoseconds < 1L << 44)
        {
            Assert.InRange(bound, nanoseconds, (long)(nanoseconds * 1.0626) + 1);
        }

        Assert.True(snapshot.P50 <= nanoseconds);
    }

    [Fact]
    public void LatencyHistogram_Percentiles_AreInOrder()
    {
        LatencyHistogram histogram = new();
        for (int i = 1; i <= 1000; i++)
        {
            histogram.Record(i * 1000);
        }

        LatencySnapshot snapshot = histogram.Snapshot();
        Assert.InRange(snapshot.P50, 500_000, 532_000);
        Assert.InRange(snapshot.P99, 990_000, 1_000_000);
        Assert.Equal(1_000_000, snapshot.Percentile(100));
    }

    [Fact]
    public void PageStates_Transitions_KeepTheTotals()
    {
        PageStates states = new(3);
        states.Claim(0);
        states.Claim(1);
        states.EndLoadCached(0);
        states.EndLoadZero(1);
        states.BeginEvict(0);
        Assert.Equal(PageState.Evicting, states[0]);
        states.EndEvict(0);
        states.Materialise(1);
        Assert.Equal(PageState.Cached, states[1]);
        states.LoseToHole(1);
        Assert.Equal(3, states.Total(PageState.Absent));
        states.AssertInvariants();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4096 + 1)]
    public void PagerOptions_LoadBytesNoPowerOfTwo_IsRefusedByName(int loadBytes)
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() => new PagerOptions { LoadBytes = loadBytes }.Validate());
        Assert.Contains("LoadBytes", refused.Message, StringComparison.Ordinal);
    }
}
