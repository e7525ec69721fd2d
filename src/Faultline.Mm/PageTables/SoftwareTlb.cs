using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Faultline.Mm;

/// <summary>
/// The translations of one accessor: what the TLB is to a processor. Used by one thread at a time; see <see cref="TlbShootdown"/>.
/// </summary>
/// <remarks>
/// A hit costs no barrier and no lock. A miss walks the page table without a lock, as hardware does, and sets the accessed and dirty bits;
/// if the walk finds no usable entry, the access is a fault.
/// </remarks>
internal sealed unsafe class SoftwareTlb : IDisposable
{
    private const int SlotCount = 1024;

    /// <summary>In a slot's tag: stores are allowed (the entry is writable, and dirty already).</summary>
    private const ulong MayStore = 1;

    /// <summary>Tags hold 35 bits of page number and the store bit below this; above it, which of 2^28 times of dropping everything they are from.</summary>
    private const ulong TagStep = 1UL << 36;

    private readonly PhysicalMemory _memory;
    private readonly PageTable _table;
    private readonly TlbShootdown _shootdown;

    /// <summary>Guard: only the accessor's own thread, inside an access.</summary>
    private Slot* _slots;

    private ulong _generation;

    /// <summary>Slots whose tags have another base are empty: dropping everything is one addition.</summary>
    private ulong _tagBase;

    /// <summary>Odd while an access is under way. Changed by the accessor's thread only.</summary>
    private int _epoch;

    public SoftwareTlb(PhysicalMemory memory, PageTable table, TlbShootdown shootdown)
    {
        _memory = memory;
        _table = table;
        _shootdown = shootdown;
        _slots = (Slot*)NativeMemory.AlignedAlloc(SlotCount * (nuint)sizeof(Slot), 64);
        Clear();
        shootdown.Add(this);
    }

    /// <summary>
    /// Begins an access. Until <see cref="End"/>, addresses from <see cref="TranslateLoad"/> and <see cref="TranslateStore"/> may be
    /// used; nothing in between may wait.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Begin()
    {
        Debug.Assert((_epoch & 1) == 0, "Accesses of one accessor do not nest, and one thread at a time uses it.");
        Volatile.Write(ref _epoch, _epoch + 1);
        ulong generation = _shootdown.Generation;
        if (generation != _generation)
        {
            DropAll(generation);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void End() => Volatile.Write(ref _epoch, _epoch + 1);

    /// <summary>The host address of the page that holds <paramref name="address"/> plus its offset, for loads.</summary>
    /// <returns>Null if the access faults.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* TranslateLoad(ulong address)
    {
        ulong page = address >> PageSize.SmallShift;
        Slot* slot = _slots + (page & (SlotCount - 1));
        if ((slot->Tag | MayStore) == (_tagBase | page << 1 | MayStore) && address < PageTable.UserEnd)
        {
            return slot->Host + (address & (PageSize.Small - 1));
        }

        return Walk(address, forStore: false);
    }

    /// <summary>As <see cref="TranslateLoad"/>, for stores.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* TranslateStore(ulong address)
    {
        ulong page = address >> PageSize.SmallShift;
        Slot* slot = _slots + (page & (SlotCount - 1));
        if (slot->Tag == (_tagBase | page << 1 | MayStore) && address < PageTable.UserEnd)
        {
            return slot->Host + (address & (PageSize.Small - 1));
        }

        return Walk(address, forStore: true);
    }

    /// <summary>Waits until the access that is under way now, if there is one, is over.</summary>
    public void WaitOut()
    {
        int seen = Volatile.Read(ref _epoch);
        if ((seen & 1) == 0)
        {
            return;
        }

        SpinWait spin = default;
        while (Volatile.Read(ref _epoch) == seen)
        {
            // The accessor's thread may have lost its processor in the middle of an access: give it ours.
            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    public void Dispose()
    {
        if (_slots is null)
        {
            return;
        }

        _shootdown.Remove(this);
        NativeMemory.AlignedFree(_slots);
        _slots = null;
    }

    private byte* Walk(ulong address, bool forStore)
    {
        if (address >= PageTable.UserEnd || _shootdown.IsClosed)
        {
            return null;
        }

        PteTable middle = _table.FindMiddle(address);
        if (middle.IsNull)
        {
            return null;
        }

        ulong* middleEntry = middle.MiddleEntryFor(address);
        while (true)
        {
            var pte = Pte.Read(middleEntry);
            if ((pte.Value & (Pte.Present | Pte.HugePage)) == Pte.Present)
            {
                return TryUse(_table.TableAt(pte.FrameNumber).EntryFor(address), forStore, out pte) ? Fill(address, pte, offsetFrames: 0) : null;
            }

            if (!TryUse(middleEntry, forStore, out pte))
            {
                return null;
            }

            // A huge entry that was split between the two looks is a table now: through it, then.
            if (pte.IsHuge)
            {
                return Fill(address, pte, (uint)PageTable.IndexAt(address, level: 0));
            }
        }
    }

    /// <summary>Sets the bits that hardware sets, if the entry allows the access.</summary>
    private static bool TryUse(ulong* entry, bool forStore, out Pte pte)
    {
        ulong needed = forStore ? Pte.Present | Pte.Writable : Pte.Present;
        ulong wanted = forStore ? Pte.Accessed | Pte.Dirty : Pte.Accessed;
        pte = Pte.Read(entry);
        while ((pte.Value & needed) == needed)
        {
            if ((pte.Value & wanted) == wanted)
            {
                return true;
            }

            ulong found = Interlocked.CompareExchange(ref *entry, pte.Value | wanted, pte.Value);
            if (found == pte.Value)
            {
                pte = pte.With(wanted);
                return true;
            }

            pte = new Pte(found);
        }

        return false;
    }

    private byte* Fill(ulong address, Pte pte, uint offsetFrames)
    {
        byte* host = _memory.BytesAt(pte.FrameNumber + offsetFrames);
        ulong page = address >> PageSize.SmallShift;
        Slot* slot = _slots + (page & (SlotCount - 1));
        const ulong StoreReady = Pte.Writable | Pte.Dirty;
        slot->Tag = _tagBase | page << 1 | ((pte.Value & StoreReady) == StoreReady ? MayStore : 0);
        slot->Host = host;
        return host + (address & (PageSize.Small - 1));
    }

    private void DropAll(ulong generation)
    {
        _generation = generation;
        _tagBase += TagStep;
        if (_tagBase == 0)
        {
            Clear();
        }
    }

    private void Clear()
    {
        for (int i = 0; i < SlotCount; i++)
        {
            _slots[i].Tag = ulong.MaxValue;
        }
    }

    private struct Slot
    {
        /// <summary>The base of the time it was filled, the page number shifted left by one, and <see cref="MayStore"/>.</summary>
        public ulong Tag;

        public byte* Host;
    }
}
