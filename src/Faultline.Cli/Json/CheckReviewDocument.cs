using System;
using System.Collections.Generic;
using System.Linq;
using Faultline.Verification.Review;

namespace Faultline.Cli.Json;

/// <summary>What <c>check review</c> prints with <c>--json</c>. Fields are described in docs/cli.md.</summary>
internal sealed record CheckReviewDocument
{
    public required bool Passed { get; init; }

    public required double Milliseconds { get; init; }

    /// <summary>Null if the running kernel was asked, else one sentence.</summary>
    public string? KernelMissing { get; init; }

    public required IReadOnlyList<ReviewDefectDocument> Defects { get; init; }

    public required IReadOnlyList<InstallRow> Table { get; init; }

    /// <summary>Histories and schedules that the engine without a defect was run through.</summary>
    public required long DefaultRuns { get; init; }

    public required IReadOnlyList<string> DefaultFailures { get; init; }

    public static CheckReviewDocument Of(ReviewReport report) => new()
    {
        Passed = report.IsPassed,
        Milliseconds = Math.Round(report.Elapsed.TotalMilliseconds, 1),
        KernelMissing = report.KernelMissing,
        Defects = [.. report.Defects.Select(ReviewDefectDocument.Of)],
        Table = report.Table,
        DefaultRuns = report.DefaultRuns,
        DefaultFailures = report.DefaultFailures,
    };
}
