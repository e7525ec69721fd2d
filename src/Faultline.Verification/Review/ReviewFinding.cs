using System;
using System.Collections.Generic;

namespace Faultline.Verification.Review;

/// <summary>What became of one defect.</summary>
public sealed record ReviewFinding
{
    /// <summary>D1 to D13.</summary>
    public required string Id { get; init; }

    /// <summary>The mistake, in a few words.</summary>
    public required string Title { get; init; }

    /// <summary>What the defective code does.</summary>
    public required string Mistake { get; init; }

    /// <summary>What it should do.</summary>
    public required string Rule { get; init; }

    /// <summary>The checks that saw it, the strongest first: <c>kernel</c> and <c>engine</c> (differential), <c>invariant</c>, <c>interleaving</c>.</summary>
    public required IReadOnlyList<string> CaughtBy { get; init; }

    /// <summary>The shortest history in which it goes wrong.</summary>
    public required IReadOnlyList<ReviewCall> Calls { get; init; }

    /// <summary>What is different after the last call.</summary>
    public required IReadOnlyList<ReviewDifference> Differences { get; init; }

    /// <summary>What no longer adds up in the engine, in words.</summary>
    public required IReadOnlyList<string> Violations { get; init; }

    /// <summary>Histories tried until this one, all shorter ones among them; or schedules run.</summary>
    public required long Tried { get; init; }

    /// <summary>For two threads: the schedule in which it goes wrong, what failed, and what the right engine did in all of them; else null.</summary>
    public ReviewRace? Race { get; init; }

    /// <summary>Null, or one sentence: why the kernel was not asked about this one, where it can be asked at all.</summary>
    public string? KernelNote { get; init; }

    /// <summary>How long finding it took.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Whether any check saw it.</summary>
    public bool IsCaught => CaughtBy.Count > 0;
}
