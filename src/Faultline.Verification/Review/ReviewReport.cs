using System;
using System.Collections.Generic;
using System.Linq;

namespace Faultline.Verification.Review;

/// <summary>What <see cref="ReviewCheck"/> found.</summary>
public sealed record ReviewReport
{
    /// <summary>The thirteen defects.</summary>
    public required IReadOnlyList<ReviewFinding> Defects { get; init; }

    /// <summary>The five cases, in writable and read-only mappings, with and without write-protection.</summary>
    public required IReadOnlyList<InstallRow> Table { get; init; }

    /// <summary>Histories and schedules that the engine without a defect was run through.</summary>
    public required long DefaultRuns { get; init; }

    /// <summary>What the engine without a defect got wrong, in words; empty if nothing.</summary>
    public required IReadOnlyList<string> DefaultFailures { get; init; }

    /// <summary>Null, or one sentence: why the running kernel was not asked at all.</summary>
    public required string? KernelMissing { get; init; }

    /// <summary>How long everything took.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Whether every defect was caught, the engine without one passed, and the table agrees with the kernel.</summary>
    public bool IsPassed =>
        Defects.All(static defect => defect.IsCaught) && DefaultFailures.Count == 0 && Table.All(static row => row.Cells.All(static cell => cell.Agrees));
}
