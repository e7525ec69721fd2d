namespace Faultline.Paging;

/// <summary>How a <see cref="MemorySnapshot"/> is taken.</summary>
public sealed record MemorySnapshotOptions
{
    /// <summary>
    /// Every byte is read once, in any order, and what was read is let go: its protection ends, and its copy, if there is one, is freed. Without
    /// it the snapshot can be read again and again, and keeps everything that is written to until it is disposed.
    /// </summary>
    public bool ReadOnce { get; init; } = true;

    /// <summary>The most bytes of copies at a time. A thread that wants to write when they are used up waits for a reader to make room.</summary>
    public ulong MaxHeldBytes { get; init; } = 256UL << 20;
}
