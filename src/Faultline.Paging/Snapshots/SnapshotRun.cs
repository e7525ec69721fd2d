namespace Faultline.Paging;

/// <summary>A part of what a reader of a snapshot asked for, in bytes of the reader's buffer.</summary>
/// <param name="Start">Its first byte.</param>
/// <param name="End">The byte behind it.</param>
/// <param name="Origin">Where its bytes are.</param>
internal readonly record struct SnapshotRun(int Start, int End, SnapshotOrigin Origin);
