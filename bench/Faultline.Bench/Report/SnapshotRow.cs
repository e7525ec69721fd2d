namespace Faultline.Bench;

/// <summary>Snapshots of memory that a thread writes to; medians.</summary>
/// <param name="Bytes">The memory, all of it resident.</param>
/// <param name="WrittenPerSecond">The part of it that the writer asks to write each second.</param>
/// <param name="PauseMs">The call that protects the range when a snapshot is taken: how long a writer waits for the instant.</param>
/// <param name="BareMs">One bare UFFDIO_WRITEPROTECT of the same range.</param>
/// <param name="ReadMs">From the instant until every page was read.</param>
/// <param name="CopiedPages">Pages copied because they were written to before they were read.</param>
public sealed record SnapshotRow(ulong Bytes, double WrittenPerSecond, double PauseMs, double BareMs, double ReadMs, double CopiedPages)
{
    /// <summary>The pause in bare calls.</summary>
    public double PauseRatio => System.Math.Round(PauseMs / BareMs, 3);

    /// <summary>What <see cref="PauseRatio"/> may be at most.</summary>
    public double PauseTarget { get; } = 1.5;

    /// <summary>Whether the target is met.</summary>
    public bool Met => PauseRatio <= PauseTarget;
}
