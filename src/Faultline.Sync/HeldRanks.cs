using System;
using System.Collections.Generic;
using System.Diagnostics;

namespace Faultline.Sync;

/// <summary>What the calling thread holds, in debug builds; nothing at all in release builds.</summary>
internal static class HeldRanks
{
    /// <summary>The ranks held by this thread, in the order taken.</summary>
    [ThreadStatic]
    private static List<LockRank>? _held;

    /// <summary>Throws if a lock of this rank may not be taken now. Comes before the wait, so that a wrong order shows without a deadlock.</summary>
    [Conditional("DEBUG")]
    public static void Check(LockRank rank)
    {
        foreach (LockRank held in _held ?? [])
        {
            if (held >= rank)
            {
                throw new LockOrderException(rank, held);
            }
        }
    }

    /// <summary>Throws if the second lock of a pair of this rank may not be taken now: only the rank itself may be held as well.</summary>
    [Conditional("DEBUG")]
    public static void CheckSecond(LockRank rank)
    {
        foreach (LockRank held in _held ?? [])
        {
            if (held > rank)
            {
                throw new LockOrderException(rank, held);
            }
        }
    }

    /// <summary>Notes a lock that has just been taken.</summary>
    [Conditional("DEBUG")]
    public static void Push(LockRank rank) => (_held ??= []).Add(rank);

    /// <summary>Notes a lock that has just been let go.</summary>
    [Conditional("DEBUG")]
    public static void Pop(LockRank rank)
    {
        int last = _held?.LastIndexOf(rank) ?? -1;
        Debug.Assert(last >= 0, $"The {rank} lock was let go by a thread that does not hold it.");
        _held!.RemoveAt(last);
    }

    /// <summary>A thread that was unwound out of a schedule begins anew: what it held is gone with the schedule.</summary>
    [Conditional("DEBUG")]
    public static void Forget() => _held?.Clear();
}
