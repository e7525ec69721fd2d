using System;
using System.Collections.Generic;
using System.Linq;
using Faultline.Verification.Kernel;

namespace Faultline.Cli.Json;

/// <summary>What <c>faultline check kernel</c> found.</summary>
internal sealed record CheckKernelDocument
{
    /// <summary>Steps done on both engines and compared.</summary>
    public required long Operations { get; init; }

    /// <summary>Of all workers together.</summary>
    public required double OperationsPerSecond { get; init; }

    public required long Programs { get; init; }

    public required double Seconds { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>Huge pages of 2 MiB that were added to the kernel's pool for the run; zero if the programs had no hugetlb.</summary>
    public required int HugePagesBorrowed { get; init; }

    /// <summary>Whether a swap file was put into use for the run; the programs page out only then.</summary>
    public required bool SwapBorrowed { get; init; }

    /// <summary>Differences that no rule explains.</summary>
    public required IReadOnlyList<KernelDifferenceDocument> Differences { get; init; }

    /// <summary>Differences that did not show again when the program was run again, several times.</summary>
    public required IReadOnlyList<KernelDifferenceDocument> Unstable { get; init; }

    /// <summary>How often each rule for a known difference applied.</summary>
    public required IReadOnlyDictionary<string, long> Explained { get; init; }

    /// <summary>Different tuples of verb, kind of memory, registered modes, state of the entry, and outcome.</summary>
    public required int TuplesReached { get; init; }

    /// <summary>Those tuples, with how often.</summary>
    public required IReadOnlyList<string> Reached { get; init; }

    /// <summary>Combinations of verb, kind of memory and state of the entry that were never met.</summary>
    public required IReadOnlyList<string> NeverReached { get; init; }

    public static CheckKernelDocument Of(KernelCheckReport report, BorrowedMachine machine) => new()
    {
        Operations = report.Operations,
        OperationsPerSecond = report.OperationsPerSecond,
        Programs = report.Programs,
        Seconds = report.Elapsed.TotalSeconds,
        Seed = report.Seed,
        HugePagesBorrowed = machine.HasHugePages ? machine.HugePages : 0,
        SwapBorrowed = machine.HasSwap,
        Differences = [.. report.Differences.Select(KernelDifferenceDocument.Of)],
        Unstable = [.. report.Unstable.Select(KernelDifferenceDocument.Of)],
        Explained = report.Explained,
        TuplesReached = report.TuplesReached,
        Reached = report.Reached,
        NeverReached = report.NeverReached,
    };

    /// <summary>The document of one program.</summary>
    public static CheckKernelDocument Of(KernelDifference? difference, BorrowedMachine machine) => new()
    {
        Operations = 0,
        OperationsPerSecond = 0,
        Programs = 1,
        Seconds = 0,
        Seed = difference?.ProgramSeed ?? 0,
        HugePagesBorrowed = machine.HasHugePages ? machine.HugePages : 0,
        SwapBorrowed = machine.HasSwap,
        Differences = difference is null ? [] : [KernelDifferenceDocument.Of(difference)],
        Unstable = [],
        Explained = new Dictionary<string, long>(StringComparer.Ordinal),
        TuplesReached = 0,
        Reached = [],
        NeverReached = [],
    };
}
