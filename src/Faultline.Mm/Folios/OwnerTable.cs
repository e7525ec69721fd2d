using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// Turns the handle in a frame's record into the object that owns the frame, an <see cref="AnonVma"/> or a page cache: records live in
/// native memory and cannot hold references. A handle of an owner that is gone turns into null, also after its slot was used again.
/// </summary>
internal sealed class OwnerTable
{
    private readonly RankedLock _lock = new(LockRank.MmOwners);

    /// <summary>Slots given back. Guard: <see cref="_lock"/>.</summary>
    private readonly Stack<uint> _free = new();

    /// <summary>Grown by replacement; readers need no lock. Guard for changes: <see cref="_lock"/>.</summary>
    private Slot[] _slots = new Slot[64];

    /// <summary>Slots ever used. Slot zero is not: handle zero means no owner.</summary>
    private uint _used = 1;

    /// <summary>Gives an object a handle: generation in the upper half, slot in the lower.</summary>
    public ulong Add(object owner)
    {
        using RankedLock.Scope held = _lock.Enter();
        if (!_free.TryPop(out uint index))
        {
            index = _used++;
            if (index == _slots.Length)
            {
                var larger = new Slot[_slots.Length * 2];
                _slots.CopyTo(larger, 0);
                Volatile.Write(ref _slots, larger);
            }

            _slots[index] = new Slot();
        }

        Slot slot = _slots[index];
        ulong handle = ((ulong)slot.Generation << 32) | index;
        slot.Handle = handle;
        Volatile.Write(ref slot.Owner, owner);
        return handle;
    }

    public void Remove(ulong handle)
    {
        using RankedLock.Scope held = _lock.Enter();
        uint index = (uint)handle;
        Seam.Touch(this, TouchKind.Write, (int)index);
        Slot slot = _slots[index];
        slot.Owner = null;
        slot.Handle = 0;
        slot.Generation++;
        _free.Push(index);
    }

    /// <summary>The owner, or null if it is gone.</summary>
    public T? Find<T>(ulong handle)
        where T : class
    {
        Slot[] slots = Volatile.Read(ref _slots);
        uint index = (uint)handle;
        if (handle == 0 || index >= slots.Length || slots[index] is not { } slot)
        {
            return null;
        }

        Seam.Touch(this, TouchKind.Read, (int)index);

        // The handle is read after the owner: a slot that changed hands in between does not match.
        object? owner = Volatile.Read(ref slot.Owner);
        return Volatile.Read(ref slot.Handle) == handle ? owner as T : null;
    }

    /// <summary>Visits every owner of a kind; for checks.</summary>
    public void ForEach<T>(Action<T> visit)
        where T : class
    {
        T[] owners;
        using (RankedLock.Scope held = _lock.Enter())
        {
            owners = [.. _slots.Select(slot => slot?.Owner).OfType<T>()];
        }

        foreach (T owner in owners)
        {
            visit(owner);
        }
    }

    private sealed class Slot
    {
        public object? Owner;
        public ulong Handle;
        public uint Generation;
    }
}
