using System;

namespace Faultline.Sync;

/// <summary>A lock was taken out of turn: a bug in Faultline, found in a debug build.</summary>
/// <param name="wanted">The rank of the lock that was to be taken.</param>
/// <param name="held">The rank of a lock that the thread holds already, and that must come later.</param>
public sealed class LockOrderException(LockRank wanted, LockRank held)
    : Exception($"A thread that holds {held} may not take {wanted}: the order is that of LockRank, and no rank is taken twice.")
{
    /// <summary>The rank of the lock that was to be taken.</summary>
    public LockRank Wanted { get; } = wanted;

    /// <summary>The rank of the lock that was held.</summary>
    public LockRank Held { get; } = held;
}
