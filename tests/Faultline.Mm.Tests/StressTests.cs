using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Faultline.Conformance;
using Xunit;

namespace Faultline.Mm.Tests;

/// <summary>
/// Real threads that do everything at once to one engine, by seed: fault, fill, move, truncate, punch, swap out, fork, remap, register, close. After each
/// round the engine is checked as a whole; at the end every frame must come back.
/// </summary>
/// <remarks>
/// FAULTLINE_STRESS_SECONDS: how long each seed runs (0.75). FAULTLINE_STRESS_SEEDS: which seeds, <c>first-last</c> (1-6).
/// </remarks>
public sealed class StressTests
{
    private const ulong Page = PageSize.Small;
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(250);

    /// <summary>The seeds to run.</summary>
    public static TheoryData<int> Seeds
    {
        get
        {
            string wanted = Environment.GetEnvironmentVariable("FAULTLINE_STRESS_SEEDS") ?? "1-6";
            int[] bounds = [.. wanted.Split('-').Select(bound => int.Parse(bound, CultureInfo.InvariantCulture))];
            return [.. Enumerable.Range(bounds[0], bounds[^1] - bounds[0] + 1)];
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void EverythingAtOnce_Seeded_AddsUpAndLeaksNothing(int seed)
    {
        TimeSpan duration = StressLoad.DurationOr(TimeSpan.FromSeconds(0.75));
        ISwapDevice swap = seed % 3 == 0 ? new UnreliableSwapDevice(8192, seed) : new MemorySwapDevice(8192);
        using var engine = new ManagedEngine(new ManagedEngineOptions
        {
            MemoryBytes = 128UL << 20,
            MemoryLimitBytes = LimitOf(seed),
            Swap = swap,
            HugePages = 8,
            GuardsMemory = true,
            ReclaimsInBackground = seed % 4 == 0,
        });
        long framesAtStart = engine.FramesInUse;
        long accesses = 0;
        using (var scene = new StressScene(engine, seed, LimitOf(seed) != 0 || seed % 3 == 0))
        {
            int rounds = Math.Max(1, (int)(duration / Round));
            for (int round = 0; round < rounds; round++)
            {
                scene.Run(Round);
                AssertAddsUp(engine, $"after round {round} of seed {seed}");
            }

            accesses = scene.Accesses;
        }

        AssertAddsUp(engine, $"after the end of seed {seed}");
        Assert.Equal(framesAtStart, engine.FramesInUse);
        Assert.Equal((0L, 0U), (engine.System.Group.ChargedPages, engine.System.Swap.UsedSlots));
        Assert.True(accesses > 0);
        TestContext.Current.SendDiagnosticMessage($"Seed {seed}: {accesses} accesses.");
    }

    /// <summary>Every other seed is short of memory, so that reclaim runs all the time.</summary>
    private static ulong LimitOf(int seed) => seed % 2 == 0 ? 400 * Page : 0;

    private static void AssertAddsUp(ManagedEngine engine, string when)
    {
        IReadOnlyList<string> violations = [];
        Testbed.TryUntil(() => (violations = engine.FindViolations()).Count == 0);
        Assert.True(violations.Count == 0, $"{when}: {string.Join('\n', violations)}");
    }
}
