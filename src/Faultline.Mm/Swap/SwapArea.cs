using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// The slots of the swap device, who refers to them, and the swap cache: the folio a slot's page is in while it is in memory too
/// (Linux: <c>swap_info_struct</c>, <c>swap_map</c>, <c>mm/swap_state.c</c>).
/// </summary>
/// <remarks>
/// A slot is free when no entry refers to it and no folio is cached for it. The cache holds a reference to its folio. Who adds or removes a cached folio
/// holds the folio's lock.
/// </remarks>
internal sealed class SwapArea
{
    private readonly ISwapDevice? _device;
    private readonly RankedLock _lock = new(LockRank.MmSwap);

    /// <summary>Entries (of page tables and page caches) that refer to each slot. Guard: <see cref="_lock"/>.</summary>
    private readonly ushort[] _references;

    /// <summary>The frame cached for each slot, or zero. Guard: <see cref="_lock"/>.</summary>
    private readonly uint[] _cached;

    /// <summary>What <see cref="_evictions"/> was when the page of each slot went. Guard: <see cref="_lock"/>.</summary>
    private readonly uint[] _evictedAt;

    /// <summary>Pages that went to swap so far. Guard: <see cref="_lock"/>.</summary>
    private uint _evictions;

    /// <summary>Guard: <see cref="_lock"/>.</summary>
    private readonly List<SwapSlot> _orphans = [];

    /// <summary>Where the search for a free slot goes on. Guard: <see cref="_lock"/>.</summary>
    private uint _next = 1;

    private uint _used;

    public SwapArea(ISwapDevice? device)
    {
        _device = device;
        uint slots = device is null ? 1 : checked(device.PageCount + 1);
        _references = new ushort[slots];
        _cached = new uint[slots];
        _evictedAt = new uint[slots];
    }

    public bool IsAvailable => _device is not null;

    public uint UsedSlots => Volatile.Read(ref _used);

    /// <summary>Takes a free slot for a folio and puts the folio into the cache there, with a reference.</summary>
    /// <returns>No slot if the area is full.</returns>
    public unsafe SwapSlot AddToCache(Folio folio)
    {
        using RankedLock.Scope held = _lock.Enter();
        SwapSlot slot = FindFreeLocked(in held);
        if (!slot.IsNone)
        {
            folio.Get();
            folio.Record->Swap = slot.Number;
            folio.Set(FolioFlags.SwapCache);
            _cached[slot.Number] = folio.Number;
            _used++;
        }

        return slot;
    }

    /// <summary>Puts a folio that was read in into the cache of its slot, unless another is there or nobody refers to the slot any more.</summary>
    public unsafe bool TryAddToCache(Folio folio, SwapSlot slot)
    {
        using RankedLock.Scope held = _lock.Enter();
        if (_cached[slot.Number] != 0 || _references[slot.Number] == 0)
        {
            return false;
        }

        folio.Get();
        folio.Record->Swap = slot.Number;
        folio.Set(FolioFlags.SwapCache);
        _cached[slot.Number] = folio.Number;
        return true;
    }

    /// <summary>The folio cached for a slot, with a reference.</summary>
    public unsafe Folio FindCached(SwapSlot slot, PhysicalMemory memory)
    {
        using RankedLock.Scope held = _lock.Enter();
        uint number = _cached[slot.Number];
        if (number == 0)
        {
            return default;
        }

        // The cache's reference keeps it while we hold the lock.
        var folio = new Folio(memory.FrameAt(number));
        folio.Get();
        return folio;
    }

    /// <summary>Takes a folio out of the cache; the caller gives back the cache's reference.</summary>
    public unsafe void RemoveFromCache(Folio folio)
    {
        using RankedLock.Scope held = _lock.Enter();
        uint slot = folio.Record->Swap;
        Debug.Assert(_cached[slot] == folio.Number, "The folio is the one cached for its slot.");
        _cached[slot] = 0;
        folio.Record->Swap = 0;
        folio.Clear(FolioFlags.SwapCache);
        if (_references[slot] == 0)
        {
            _used--;
        }
    }

    /// <summary>One more entry refers to a slot.</summary>
    public void AddReference(SwapSlot slot)
    {
        using RankedLock.Scope held = _lock.Enter();
        _references[slot.Number]++;
    }

    /// <summary>One entry less refers to a slot.</summary>
    /// <returns>Whether nothing refers to the slot any more but the folio cached for it: see <see cref="SwapIo.RemoveReference"/>.</returns>
    public bool RemoveReference(SwapSlot slot)
    {
        using RankedLock.Scope held = _lock.Enter();
        Debug.Assert(_references[slot.Number] > 0, "The slot is in use.");
        if (--_references[slot.Number] != 0)
        {
            return false;
        }

        if (_cached[slot.Number] != 0)
        {
            return true;
        }

        _used--;
        return false;
    }

    /// <summary>A cached folio that nothing refers to could not be dropped, because it was busy: later.</summary>
    public void AddOrphan(SwapSlot slot)
    {
        using RankedLock.Scope held = _lock.Enter();
        _orphans.Add(slot);
    }

    /// <summary>Takes one of those.</summary>
    public bool TryTakeOrphan(out SwapSlot slot)
    {
        using RankedLock.Scope held = _lock.Enter();
        slot = _orphans.Count == 0 ? default : _orphans[^1];
        if (!slot.IsNone)
        {
            _orphans.RemoveAt(_orphans.Count - 1);
        }

        return !slot.IsNone;
    }

    /// <summary>A page is out: remembers when (Linux: <c>workingset_eviction</c>).</summary>
    public void NoteEviction(SwapSlot slot)
    {
        using RankedLock.Scope held = _lock.Enter();
        _evictedAt[slot.Number] = ++_evictions;
    }

    /// <summary>
    /// How many pages have gone since the page of a slot did (Linux: <c>workingset_refault</c>). If few: with a little more memory it would not have gone at
    /// all.
    /// </summary>
    public uint RefaultDistance(SwapSlot slot)
    {
        using RankedLock.Scope held = _lock.Enter();
        return _evictions - _evictedAt[slot.Number];
    }

    /// <summary>The entries that refer to a slot.</summary>
    public int ReferencesOf(SwapSlot slot)
    {
        using RankedLock.Scope held = _lock.Enter();
        return _references[slot.Number];
    }

    public bool TryWrite(SwapSlot slot, ReadOnlySpan<byte> page) => _device!.TryWrite(slot.Number - 1, page);

    public bool TryRead(SwapSlot slot, Span<byte> page) => _device!.TryRead(slot.Number - 1, page);

    private SwapSlot FindFreeLocked(in RankedLock.Scope held)
    {
        Debug.Assert(held.IsHeld);
        uint slots = (uint)_references.Length;
        for (uint tried = 1; tried < slots; tried++)
        {
            uint slot = _next;
            _next = _next + 1 < slots ? _next + 1 : 1;
            if (_references[slot] == 0 && _cached[slot] == 0)
            {
                return new SwapSlot(slot);
            }
        }

        return default;
    }
}
