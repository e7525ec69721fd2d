using Faultline.Cli.Json;

namespace Faultline.Cli.Processes;

/// <summary>One line from a child process: exactly one member is set.</summary>
internal sealed record ChildMessage
{
    /// <summary>Started, warmed up, and waiting for the go-signal.</summary>
    public bool? IsReady { get; init; }

    /// <summary>Clone: how far it is.</summary>
    public CloneProgress? Progress { get; init; }

    /// <summary>Clone: its work is done, its memory stands.</summary>
    public CloneTimes? Done { get; init; }

    /// <summary>Clone: what it holds, measured when all were done.</summary>
    public CloneMeasurement? Measured { get; init; }

    /// <summary>Pager: what it has done so far.</summary>
    public PagerReport? Pager { get; init; }

    /// <summary>Pager: the memory of the first clone is saved.</summary>
    public SnapshotDocument? Saved { get; init; }

    /// <summary>One sentence: why the process gives up.</summary>
    public string? Failure { get; init; }
}
