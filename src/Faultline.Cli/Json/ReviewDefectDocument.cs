using System;
using System.Collections.Generic;
using System.Linq;
using Faultline.Verification.Review;

namespace Faultline.Cli.Json;

/// <summary>One defect in the document of <c>check review</c>.</summary>
internal sealed record ReviewDefectDocument
{
    public required string Id { get; init; }

    public required string Title { get; init; }

    public required bool Caught { get; init; }

    /// <summary><c>kernel</c>, <c>engine</c>, <c>invariant</c>, <c>interleaving</c>.</summary>
    public required IReadOnlyList<string> CaughtBy { get; init; }

    /// <summary>The length of the history.</summary>
    public required int Steps { get; init; }

    public required double Milliseconds { get; init; }

    /// <summary>Histories, or schedules, tried until it was found.</summary>
    public required long Tried { get; init; }

    /// <summary>The history, a line a step.</summary>
    public required IReadOnlyList<string> Script { get; init; }

    public required IReadOnlyList<ReviewDifference> Differences { get; init; }

    public required IReadOnlyList<string> Violations { get; init; }

    public ReviewRace? Race { get; init; }

    /// <summary>Why the kernel was not asked about it.</summary>
    public string? KernelNote { get; init; }

    public static ReviewDefectDocument Of(ReviewFinding finding) => new()
    {
        Id = finding.Id,
        Title = finding.Title,
        Caught = finding.IsCaught,
        CaughtBy = finding.CaughtBy,
        Steps = finding.Calls.Count,
        Milliseconds = Math.Round(finding.Elapsed.TotalMilliseconds, 1),
        Tried = finding.Tried,
        Script = [.. finding.Calls.Select(static call => call.Text)],
        Differences = finding.Differences,
        Violations = finding.Violations,
        Race = finding.Race,
        KernelNote = finding.KernelNote,
    };
}
