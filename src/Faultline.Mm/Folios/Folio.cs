using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// One allocation of physical memory, 1 or 512 frames (Linux: <c>struct folio</c>): a handle to the record of its first frame.
/// Valid while the holder has a reference, or a lock that keeps somebody else's.
/// </summary>
internal readonly unsafe struct Folio(Frame* head) : IEquatable<Folio>
{
    private readonly Frame* _head = head;

    public bool IsNull => _head is null;

    /// <summary>The record. Members are changed by the folder that guards them only.</summary>
    public Frame* Record => _head;

    /// <summary>The number of its first frame.</summary>
    public uint Number => _head->Number;

    public int Order => _head->Order;

    /// <summary>The number of frames.</summary>
    public int FrameCount => 1 << _head->Order;

    /// <summary>The slot, with <see cref="FolioFlags.SwapCache"/>.</summary>
    public SwapSlot SwapSlot => new(_head->Swap);

    public ulong Index => _head->Index;

    public int RefCount
    {
        get
        {
            Seam.Touch((nint)(&_head->RefCount), TouchKind.Read);
            return Volatile.Read(ref _head->RefCount);
        }
    }

    public bool IsAnonymous => Has(FolioFlags.Anonymous);

    /// <summary>Whether any entry maps any part of it.</summary>
    public bool IsMapped => MapCount != 0;

    /// <summary>All entries that map it: small ones of each frame, and huge ones.</summary>
    public int MapCount
    {
        get
        {
            Seam.Touch((nint)(&_head->MapCount), TouchKind.Read);
            int count = Volatile.Read(ref _head->HugeMapCount);
            for (int i = 0; i < FrameCount; i++)
            {
                count += Volatile.Read(ref _head[i].MapCount);
            }

            return count;
        }
    }

    /// <summary>The frame of the page at an index in the folio's owner.</summary>
    public uint FrameAt(ulong index) => _head->Number + (uint)(index - _head->Index);

    /// <summary>The entries that map one of its frames, small and huge.</summary>
    public int MapCountOf(uint frame) => Volatile.Read(ref _head->HugeMapCount) + Volatile.Read(ref _head[frame - _head->Number].MapCount);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Has(FolioFlags flag)
    {
        Touch(flag, TouchKind.Read);
        return (Volatile.Read(ref _head->Flags) & (int)flag) != 0;
    }

    public void Set(FolioFlags flag)
    {
        Touch(flag, TouchKind.Add);
        Interlocked.Or(ref _head->Flags, (int)flag);
    }

    public void Clear(FolioFlags flag)
    {
        Touch(flag, TouchKind.Write);
        Interlocked.And(ref _head->Flags, ~(int)flag);
    }

    /// <summary>Clears the flag.</summary>
    /// <returns>Whether it was set.</returns>
    public bool TestAndClear(FolioFlags flag)
    {
        Touch(flag, TouchKind.Write);
        return (Interlocked.And(ref _head->Flags, ~(int)flag) & (int)flag) != 0;
    }

    /// <summary>Takes a reference; the caller has one already, or a lock that keeps one.</summary>
    public void Get(int count = 1)
    {
        Seam.Touch((nint)(&_head->RefCount), TouchKind.Add);
        Interlocked.Add(ref _head->RefCount, count);
    }

    /// <summary>Takes a reference unless the folio is free (Linux: <c>folio_try_get</c>).</summary>
    public bool TryGet()
    {
        Seam.Touch((nint)(&_head->RefCount), TouchKind.Write);
        int seen = Volatile.Read(ref _head->RefCount);
        while (seen > 0)
        {
            int found = Interlocked.CompareExchange(ref _head->RefCount, seen + 1, seen);
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }

        return false;
    }

    /// <summary>
    /// Tells a scheduler of the flags that are looked at without a lock that guards them. The others are about the LRU lists, or change together with one
    /// of these.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Touch(FolioFlags flag, TouchKind kind)
    {
        const FolioFlags Marked = FolioFlags.Dirty | FolioFlags.UpToDate | FolioFlags.SwapCache | FolioFlags.Exclusive | FolioFlags.LazilyFreed;
        if (Seam.IsOn && (flag & Marked) != 0)
        {
            // A place of its own for each bit, where no word of memory is.
            Seam.Touch(-((nint)_head + BitOperations.TrailingZeroCount((int)(flag & Marked))), kind);
        }
    }

    public bool Equals(Folio other) => _head == other._head;

    public override bool Equals(object? obj) => obj is Folio other && Equals(other);

    public override int GetHashCode() => ((nuint)_head).GetHashCode();

    public override string ToString() => IsNull ? "no folio" : $"folio {Number} ({(FolioFlags)_head->Flags}, {RefCount} references)";
}
