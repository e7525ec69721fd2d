using Faultline.Cli.Patterns;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Processes;

/// <summary>What a clone process is told first.</summary>
internal sealed record CloneJob
{
    public required int Index { get; init; }

    public required RestoreMode Mode { get; init; }

    public required string Image { get; init; }

    public required long ImageBytes { get; init; }

    public required string RunFolder { get; init; }

    public required AccessPattern Pattern { get; init; }

    public required double TouchPercent { get; init; }

    public required double WritePercent { get; init; }

    public required ulong Seed { get; init; }

    public required bool Verify { get; init; }

    public string? Trace { get; init; }

    /// <summary>The working set that is brought ahead, to compare with what is touched; null for none.</summary>
    public string? Replay { get; init; }

    /// <summary>Whether to look at every page at the end, for the report and the counts of pages.</summary>
    public required bool WantsPageMap { get; init; }
}
