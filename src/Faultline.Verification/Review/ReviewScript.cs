using System;
using System.Collections.Generic;
using System.Linq;
using Faultline.Mm;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Verification.Review;

/// <summary>A history: an area, and calls that are made one after another.</summary>
/// <param name="Area">The area.</param>
/// <param name="Steps">The calls.</param>
internal sealed record ReviewScript(ReviewArea Area, IReadOnlyList<ReviewStep> Steps)
{
    /// <summary>Runs it on a managed engine.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="steps">Wrong steps, or null.</param>
    /// <returns>What is seen after the last call, and what no longer adds up then.</returns>
    public (IReadOnlyList<ReviewFact> Facts, IReadOnlyList<string> Violations) Run(InstallRuleVersion rule, FillSteps? steps)
    {
        ManagedEngine engine = ReviewEngine.Create(rule, steps);
        var stage = new ReviewStage(engine, Area);
        foreach (ReviewStep step in Steps)
        {
            stage.Run(step);
        }

        IReadOnlyList<ReviewFact> facts = stage.Observe();
        IReadOnlyList<string> violations = engine.FindViolations();
        if (violations.Count == 0)
        {
            stage.Dispose();
            engine.Dispose();
        }

        // An engine that does not add up any more is not taken down in order: nothing it says of its own frames can be relied on.
        return (facts, violations);
    }

    /// <summary>What is seen after each call.</summary>
    public IReadOnlyList<IReadOnlyList<ReviewFact>> Trace(IMemoryEngine engine, bool isSound)
    {
        var stage = new ReviewStage(engine, Area);
        var trace = new List<IReadOnlyList<ReviewFact>>();
        foreach (ReviewStep step in Steps)
        {
            stage.Run(step);
            trace.Add(stage.Observe());
        }

        if (isSound)
        {
            stage.Dispose();
        }

        return trace;
    }

    /// <summary>The locks that each call takes, in order, in words.</summary>
    public IReadOnlyList<IReadOnlyList<string>> TraceLocks(ManagedEngine engine)
    {
        var stage = new ReviewStage(engine, Area);
        return [.. Steps.Select(step => Describe(LockRecording.Of(() => stage.Run(step))))];
    }

    /// <summary>The locks of frames and lists are left out: they say nothing of the call, and there are many.</summary>
    private static IReadOnlyList<string> Describe(IReadOnlyList<LockUse> taken) =>
    [
        .. taken
            .Where(static use => use.Rank is >= LockRank.MmFile and <= LockRank.MmSwap)
            .Select(static use => use.IsShared ? $"{use.Rank} (shared)" : use.Rank.ToString())
            .Distinct(StringComparer.Ordinal),
    ];

    public override string ToString() => string.Join("; ", Steps.Select(ReviewStage.Write));
}
