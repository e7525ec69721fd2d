using System;
using System.Runtime.CompilerServices;
using System.Threading;

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

    public int RefCount => Volatile.Read(ref _head->RefCount);

    public bool IsAnonymous => Has(FolioFlags.Anonymous);

    /// <summary>Whether any entry maps any part of it.</summary>
    public bool IsMapped => MapCount != 0;

    /// <summary>All entries that map it: small ones of each frame, and huge ones.</summary>
    public int MapCount
    {
        get
        {
            int count = Volatile.Read(ref _head->HugeMapCount);
            for (int i = 0; i < FrameCount; i++)
            {
                count += Volatile.Read(ref _head[i].MapCount);
            }

            return count;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Has(FolioFlags flag) => (Volatile.Read(ref _head->Flags) & (int)flag) != 0;

    public void Set(FolioFlags flag) => Interlocked.Or(ref _head->Flags, (int)flag);

    public void Clear(FolioFlags flag) => Interlocked.And(ref _head->Flags, ~(int)flag);

    /// <summary>Sets the flag.</summary>
    /// <returns>Whether it was set already.</returns>
    public bool TestAndSet(FolioFlags flag) => (Interlocked.Or(ref _head->Flags, (int)flag) & (int)flag) != 0;

    /// <summary>Clears the flag.</summary>
    /// <returns>Whether it was set.</returns>
    public bool TestAndClear(FolioFlags flag) => (Interlocked.And(ref _head->Flags, ~(int)flag) & (int)flag) != 0;

    /// <summary>Takes a reference; the caller has one already, or a lock that keeps one.</summary>
    public void Get(int count = 1) => Interlocked.Add(ref _head->RefCount, count);

    /// <summary>Takes a reference unless the folio is free (Linux: <c>folio_try_get</c>).</summary>
    public bool TryGet()
    {
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

    public bool Equals(Folio other) => _head == other._head;

    public override bool Equals(object? obj) => obj is Folio other && Equals(other);

    public override int GetHashCode() => ((nuint)_head).GetHashCode();

    public override string ToString() => IsNull ? "no folio" : $"folio {Number} ({(FolioFlags)_head->Flags}, {RefCount} references)";
}
