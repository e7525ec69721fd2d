using System;
using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// The translations of one accessor: what the TLB is to a processor. Used by one thread at a time; see <see cref="TlbShootdown"/>.
/// </summary>
/// <remarks>
/// A hit costs no barrier and no lock. A miss walks the page table without a lock, as hardware does, and sets the accessed and dirty bits;
/// if the walk finds no usable entry, the access is a fault. Loads and stores have slots of their own, and the tag of a slot is compared with the
/// address at once: presence, right and alignment are one comparison.
/// </remarks>
internal sealed unsafe class SoftwareTlb : IDisposable
{
    private const int SlotCount = 1024;

    /// <summary>log2 of the size of a slot.</summary>
    private const int SlotShift = 4;

    /// <summary>Slots are dropped by groups: as many of them as a word has bits.</summary>
    private const int SlotsPerGroup = SlotCount / 64;

    /// <summary>No address has this page.</summary>
    private const ulong EmptyTag = ulong.MaxValue;

    private const ulong PageMask = ~(PageSize.Small - 1);

    /// <summary>For words: a misaligned address agrees with no tag.</summary>
    private const ulong WordMask = PageMask | (sizeof(ulong) - 1);

    private readonly PhysicalMemory _memory;
    private readonly PageTable _table;
    private readonly TlbShootdown _shootdown;

    /// <summary>What an access reads and writes, apart from everything else: accessors of other threads do not share its cache lines.</summary>
    private Hot _hot;

    /// <summary>Groups that may have slots in use.</summary>
    private ulong _used = ulong.MaxValue;

    public SoftwareTlb(PhysicalMemory memory, PageTable table, TlbShootdown shootdown)
    {
        _memory = memory;
        _table = table;
        _shootdown = shootdown;
        _hot.Loads = (Slot*)NativeMemory.AlignedAlloc(2 * SlotCount * (nuint)sizeof(Slot), 64);
        _hot.Stores = _hot.Loads + SlotCount;
        DropGroups(ulong.MaxValue);
        shootdown.Add(this);
    }

    /// <summary>The groups of the slots that a range of addresses can be in.</summary>
    public static ulong GroupsOf(ulong start, ulong length)
    {
        ulong first = start >> PageSize.SmallShift;
        ulong last = (start + length - 1) >> PageSize.SmallShift;
        if (last - first >= SlotCount - SlotsPerGroup)
        {
            return ulong.MaxValue;
        }

        int firstGroup = (int)(first / SlotsPerGroup) & 63;
        int lastGroup = (int)(last / SlotsPerGroup) & 63;
        return BitOperations.RotateLeft(ulong.MaxValue >> (63 - ((lastGroup - firstGroup) & 63)), firstGroup);
    }

    /// <summary>A whole access: the word at an address, if its translation is at hand.</summary>
    /// <returns>False for a miss, or an address that is not a multiple of eight: nothing was done.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryLoad(ulong address, out ulong value)
    {
        if (Seam.IsScheduled)
        {
            value = 0;
            return false;
        }

        Volatile.Write(ref _hot.IsInside, 1);
        Slot* slot = SlotFor(_hot.Loads, address);
        if (Volatile.Read(ref _hot.Dropped) != 0 || slot->Tag != (address & WordMask))
        {
            Volatile.Write(ref _hot.IsInside, 0);
            value = 0;
            return false;
        }

        value = Volatile.Read(ref *(ulong*)(address + slot->Addend));
        Volatile.Write(ref _hot.IsInside, 0);
        return true;
    }

    /// <summary>As <see cref="TryLoad"/>, for a store.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryStore(ulong address, ulong value)
    {
        if (Seam.IsScheduled)
        {
            return false;
        }

        Volatile.Write(ref _hot.IsInside, 1);
        Slot* slot = SlotFor(_hot.Stores, address);
        if (Volatile.Read(ref _hot.Dropped) != 0 || slot->Tag != (address & WordMask))
        {
            Volatile.Write(ref _hot.IsInside, 0);
            return false;
        }

        Volatile.Write(ref *(ulong*)(address + slot->Addend), value);
        Volatile.Write(ref _hot.IsInside, 0);
        return true;
    }

    /// <summary>
    /// Begins an access. Until <see cref="End"/>, addresses from <see cref="TranslateLoad"/> and <see cref="TranslateStore"/> may be
    /// used; nothing in between may wait.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Begin()
    {
        Debug.Assert(_hot.IsInside == 0, "Accesses of one accessor do not nest, and one thread at a time uses it.");
        Seam.Touch(this, TouchKind.Write);
        Volatile.Write(ref _hot.IsInside, 1);
        if (Volatile.Read(ref _hot.Dropped) != 0)
        {
            DropGroups(Interlocked.Exchange(ref _hot.Dropped, 0));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void End()
    {
        Seam.Touch(this, TouchKind.Write);
        Volatile.Write(ref _hot.IsInside, 0);
    }

    /// <summary>The host address of the page that holds <paramref name="address"/> plus its offset, for loads.</summary>
    /// <returns>Null if the access faults.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* TranslateLoad(ulong address)
    {
        Slot* slot = SlotFor(_hot.Loads, address);
        return slot->Tag == (address & PageMask) ? (byte*)(address + slot->Addend) : Walk(address, forStore: false);
    }

    /// <summary>As <see cref="TranslateLoad"/>, for stores.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* TranslateStore(ulong address)
    {
        Slot* slot = SlotFor(_hot.Stores, address);
        return slot->Tag == (address & PageMask) ? (byte*)(address + slot->Addend) : Walk(address, forStore: true);
    }

    /// <summary>Has the accessor drop groups of slots before it translates again.</summary>
    public void Post(ulong groups)
    {
        Seam.Touch(this, TouchKind.Write);
        Interlocked.Or(ref _hot.Dropped, groups);
    }

    /// <summary>Waits until the access that was under way when groups were posted is over. A barrier of the whole process is in between.</summary>
    public void WaitOut(ulong groups)
    {
        if (Seam.IsScheduled)
        {
            AwaitInSchedule(groups);
            return;
        }

        SpinWait spin = default;
        while (IsUnderWay(groups))
        {
            // The accessor's thread may have lost its processor in the middle of an access: give it ours.
            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    public void Dispose()
    {
        if (_hot.Loads is null)
        {
            return;
        }

        _shootdown.Remove(this);

        // Whoever uses the accessor all the same misses, and is told.
        Volatile.Write(ref _hot.Dropped, ulong.MaxValue);
        NativeMemory.AlignedFree(_hot.Loads);
        _hot.Loads = null;
        _hot.Stores = null;
    }

    // Apart, so that a shoot-down allocates nothing where there is no schedule.
    private void AwaitInSchedule(ulong groups) => Seam.TryAwait(this, () => !IsUnderWay(groups));

    /// <summary>A later access has begun if the groups were taken; without that an accessor that never rests would keep a shoot-down waiting.</summary>
    private bool IsUnderWay(ulong groups) => Volatile.Read(ref _hot.IsInside) != 0 && (Volatile.Read(ref _hot.Dropped) & groups) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Slot* SlotFor(Slot* slots, ulong address) =>
        (Slot*)((byte*)slots + ((address >> (PageSize.SmallShift - SlotShift)) & ((SlotCount - 1) << SlotShift)));

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

            Seam.Touch((nint)entry, TouchKind.Write);
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
        byte* host = _memory.BytesAt(pte.FrameNumber + offsetFrames) + (address & ~PageMask);
        var slot = new Slot { Tag = address & PageMask, Addend = (ulong)host - address };
        *SlotFor(_hot.Loads, address) = slot;
        const ulong StoreReady = Pte.Writable | Pte.Dirty;
        if ((pte.Value & StoreReady) == StoreReady)
        {
            *SlotFor(_hot.Stores, address) = slot;
        }

        _used |= GroupsOf(address, 1);
        return host;
    }

    private void DropGroups(ulong groups)
    {
        groups &= _used;
        _used &= ~groups;
        while (groups != 0)
        {
            int first = BitOperations.TrailingZeroCount(groups) * SlotsPerGroup;
            groups &= groups - 1;
            new Span<Slot>(_hot.Loads + first, SlotsPerGroup).Fill(new Slot { Tag = EmptyTag });
            new Span<Slot>(_hot.Stores + first, SlotsPerGroup).Fill(new Slot { Tag = EmptyTag });
        }
    }

    private struct Slot
    {
        /// <summary>The address of the page, or <see cref="EmptyTag"/>.</summary>
        public ulong Tag;

        /// <summary>What is added to an address of the page to get at its byte.</summary>
        public ulong Addend;
    }

    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private struct Hot
    {
        /// <summary>1 while an access is under way. Written by the accessor's thread only.</summary>
        [FieldOffset(64)]
        public int IsInside;

        /// <summary>Groups that shoot-downs want dropped before the next translation. Guard: atomic.</summary>
        [FieldOffset(72)]
        public ulong Dropped;

        /// <summary>Guard, as of <see cref="Stores"/>: only the accessor's own thread, inside an access.</summary>
        [FieldOffset(80)]
        public Slot* Loads;

        [FieldOffset(88)]
        public Slot* Stores;
    }
}
