using System;
using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>
/// Pinned buffers that store reads fill. The one given back last is handed out first: it is still in the processor's cache. A buffer comes
/// back only when the read into it has
/// ended, so a store that answers late never writes into someone else's.
/// </summary>
internal sealed class BufferPool(int ordinaryBytes)
{
    /// <summary>Larger buffers kept; a sequential reader needs one at a time.</summary>
    private const int LargeKept = 8;

    private readonly RankedLock _lock = new(LockRank.PagerSpares);
    private readonly Stack<byte[]> _ordinary = [];
    private readonly List<byte[]> _large = [];

    public byte[] Rent(int bytes)
    {
        using (RankedLock.Scope held = _lock.Enter())
        {
            if (bytes <= ordinaryBytes)
            {
                if (_ordinary.TryPop(out byte[]? ordinary))
                {
                    return ordinary;
                }
            }
            else
            {
                for (int i = _large.Count - 1; i >= 0; i--)
                {
                    if (_large[i].Length >= bytes)
                    {
                        byte[] large = _large[i];
                        _large.RemoveAt(i);
                        return large;
                    }
                }
            }
        }

        return GC.AllocateUninitializedArray<byte>(Math.Max(bytes, ordinaryBytes), pinned: true);
    }

    public void Return(byte[] buffer)
    {
        using RankedLock.Scope held = _lock.Enter();
        if (buffer.Length == ordinaryBytes)
        {
            _ordinary.Push(buffer);
        }
        else if (buffer.Length > ordinaryBytes && _large.Count < LargeKept)
        {
            _large.Add(buffer);
        }
    }
}
