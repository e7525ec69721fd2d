namespace Faultline.Sync.Scheduling;

/// <summary>A lock that was taken.</summary>
/// <param name="Rank">Its rank.</param>
/// <param name="IsShared">Whether as one of its readers.</param>
public readonly record struct LockUse(LockRank Rank, bool IsShared);
