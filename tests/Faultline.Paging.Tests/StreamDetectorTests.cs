using System;
using System.Collections.Generic;
using System.Linq;
using Xunit;

namespace Faultline.Paging.Tests;

/// <summary>What order is found in touches, without a pager around it.</summary>
public sealed class StreamDetectorTests
{
    private const int Chunk = 16;
    private const int Pages = 1 << 16;

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(-5)]
    [InlineData(40)]
    [InlineData(-100)]
    [InlineData(4096)]
    public void Observe_OneStep_GuessesWhatComes(int step)
    {
        Model model = new();
        int start = step > 0 ? 0 : Pages - 1;
        int count = Math.Min(512, (Pages / Math.Abs(step)) - 1);
        for (int i = 0; i < count; i++)
        {
            model.Touch(start + (i * step));
        }

        Assert.True(model.Loaded <= 6, $"{model.Loaded} loads were waited for.");
        Assert.True(model.UsedShare >= 0.5, $"{model.UsedShare:p0} of the guesses were used.");
    }

    [Fact]
    public void Observe_FourStreamsAmongNoise_FindsAllFour()
    {
        Model model = new();
        var random = new Random(1);
        for (int i = 0; i < 256; i++)
        {
            model.Touch(i * Chunk);
            model.Touch(20_000 - (i * Chunk) - 1);
            model.Touch(24_000 + (i * 48));
            model.Touch(60_000 - (i * 70));
            if (i % 4 == 0)
            {
                model.Touch(random.Next(40_000, 42_000));
            }
        }

        Assert.True(model.Loaded <= 64 + 40, $"{model.Loaded} loads were waited for, of 1,088 touches.");
    }

    [Theory]
    [InlineData(1 << 12)]
    [InlineData(1 << 14)]
    [InlineData(1 << 16)]
    public void Observe_NoOrder_GuessesLessThanIsTouched(int pages)
    {
        Model model = new();
        var random = new Random(2);
        for (int i = 0; i < 1000; i++)
        {
            model.Touch(random.Next(pages));
        }

        Assert.True(model.GuessedPages <= 1000 * Chunk / 4, $"{model.GuessedPages} pages were guessed for 1,000 touches.");
    }

    [Fact]
    public void Observe_QueueIsFull_GoesOnLater()
    {
        Model model = new() { IsFull = true };
        for (int i = 0; i < 8; i++)
        {
            model.Touch(i * Chunk);
        }

        Assert.Equal(0, model.GuessedPages);
        model.IsFull = false;
        model.Touch(8 * Chunk);
        Assert.True(model.GuessedPages > 0);
        Assert.True(model.IsThere(9 * Chunk));
    }

    [Fact]
    public void Observe_AnyTouches_GuessesLieInTheImage()
    {
        Model model = new();
        var random = new Random(3);
        int page = 0;
        int step = 1;
        for (int i = 0; i < 100_000; i++)
        {
            step = random.Next(20) == 0 ? random.Next(-200, 200) : step;
            page = random.Next(50) == 0 ? random.Next(Pages) : Math.Clamp(page + step, 0, Pages - 1);
            model.Touch(page);
        }

        Assert.True(model.GuessedPages > 0);
    }

    /// <summary>A cache that guesses fill at once.</summary>
    private sealed class Model : IGuessSink
    {
        private readonly StreamDetector _detector = new(new PrefetchOptions(), Pages, Chunk, 8 * Chunk, mostPages: 0, (int)PageSize.Small);
        private readonly HashSet<int> _there = [];
        private readonly HashSet<int> _unused = [];

        public bool IsFull { get; set; }

        public int Loaded { get; private set; }

        public int GuessedPages { get; private set; }

        public double UsedShare => GuessedPages == 0 ? 1 : (double)(GuessedPages - _unused.Count) / GuessedPages;

        public bool IsThere(int page) => _there.Contains(page / Chunk);

        public bool TryGuess(int first, int end)
        {
            Assert.InRange(first, 0, Pages - 1);
            Assert.InRange(end, first + 1, Pages);
            if (IsFull)
            {
                return false;
            }

            for (int page = first; page < end; page++)
            {
                if (!_there.Contains(page / Chunk))
                {
                    GuessedPages += Chunk;
                    _there.Add(page / Chunk);
                    _unused.UnionWith(Enumerable.Range(page / Chunk * Chunk, Chunk));
                }
            }

            return true;
        }

        public void Touch(int page)
        {
            int first = page / Chunk * Chunk;
            TouchOutcome outcome = TouchOutcome.Loaded;
            if (_there.Contains(page / Chunk))
            {
                outcome = _unused.Contains(page) ? TouchOutcome.Guessed : TouchOutcome.Cached;
            }
            else
            {
                Loaded++;
                _there.Add(page / Chunk);
            }

            _unused.ExceptWith(Enumerable.Range(first, Chunk));
            _detector.Observe(new PageNeed(page, first, first + Chunk, outcome), this);
        }
    }
}
