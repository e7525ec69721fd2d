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

    [Conditional("DEBUG")]
    public static void Push(LockRank rank)
    {
        foreach (LockRank held in _held ?? [])
        {
            if (held >= rank)
            {
                throw new LockOrderException(rank, held);
            }
        }

        PushUnordered(rank);
    }

    [Conditional("DEBUG")]
    public static void PushUnordered(LockRank rank) => (_held ??= []).Add(rank);

    [Conditional("DEBUG")]
    public static void Pop(LockRank rank)
    {
        int last = _held?.LastIndexOf(rank) ?? -1;
        Debug.Assert(last >= 0, $"The {rank} lock was let go by a thread that does not hold it.");
        _held!.RemoveAt(last);
    }
}
