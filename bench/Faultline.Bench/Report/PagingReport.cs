using System.Collections.Generic;
using System.Linq;

namespace Faultline.Bench;

/// <summary>What <c>faultline bench paging</c> measures; see docs/benchmarks.md.</summary>
public sealed record PagingReport
{
    /// <summary>Where it was measured.</summary>
    public required MachineFacts Machine { get; init; }

    /// <summary>How often each row was measured.</summary>
    public required int Rounds { get; init; }

    /// <summary>What could not be measured, and why.</summary>
    public required IReadOnlyList<MissingRow> Missing { get; init; }

    /// <summary>The pager copying one page at a time, without a budget.</summary>
    public required PagingRow OnePage { get; init; }

    /// <summary>The pager filling the page cache of an image one page at a time, under a budget of an eighth of it.</summary>
    public required PagingRow Evicting { get; init; }

    /// <summary>A working set brought ahead, over a store that answers late.</summary>
    public required ReplayRow Replay { get; init; }

    /// <summary>Guesses over a store that answers late.</summary>
    public required PrefetchReport Prefetch { get; init; }

    /// <summary>What recording a working set costs.</summary>
    public required RecordingRow Recording { get; init; }

    /// <summary>What listening to the metrics costs.</summary>
    public required MetricsRow Metrics { get; init; }

    /// <summary>Whole images, read with several reads under way.</summary>
    public required IReadOnlyList<ImageWorkRow> Images { get; init; }

    /// <summary>A snapshot of memory that is being written to.</summary>
    public required SnapshotRow Snapshot { get; init; }

    /// <summary>A file through a budget of an eighth of it; null without a C compiler.</summary>
    public required BudgetMatrixReport? Budget { get; init; }

    /// <summary>Whether every target that was measured is met.</summary>
    public bool TargetsMet =>
        OnePage.Met != false && Evicting.Met != false && Replay.Met && Prefetch.Met && Recording.Met && Metrics.Met && Snapshot.Met
        && Budget?.StaysWithin != false && Images.All(static row => row.Met);
}
