using System;
using System.Collections.Generic;

namespace Faultline.Verification.Kernel;

/// <summary>What a run of <see cref="KernelCheck"/> found.</summary>
public sealed record KernelCheckReport
{
    /// <summary>Steps done on both engines and compared.</summary>
    public required long Operations { get; init; }

    /// <summary>Programs that was.</summary>
    public required long Programs { get; init; }

    /// <summary>The time it took.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>The seed it was started with.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Differences that no rule explains.</summary>
    public required IReadOnlyList<KernelDifference> Differences { get; init; }

    /// <summary>
    /// Differences that did not show again when the program was run again, several times: a race inside a step, or a machine that was not left alone.
    /// Nothing is decided about them.
    /// </summary>
    public required IReadOnlyList<KernelDifference> Unstable { get; init; }

    /// <summary>How often each rule for known differences applied.</summary>
    public required IReadOnlyDictionary<string, long> Explained { get; init; }

    /// <summary>How many different tuples of verb, kind of memory, registered modes, state of the entry, and outcome were reached.</summary>
    public required int TuplesReached { get; init; }

    /// <summary>Those tuples in words, with how often, most frequent first.</summary>
    public required IReadOnlyList<string> Reached { get; init; }

    /// <summary>Verbs with the kinds of memory and states of an entry that they never met.</summary>
    public required IReadOnlyList<string> NeverReached { get; init; }

    /// <summary>Steps in a second, all workers together.</summary>
    public double OperationsPerSecond => Elapsed > TimeSpan.Zero ? Operations / Elapsed.TotalSeconds : 0;
}
