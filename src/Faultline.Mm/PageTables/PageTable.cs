using System.Collections.Generic;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// The page table of one address space: four levels of 512 entries, in frames of the physical memory like everything else. An
/// entry of level 1 (Linux: PMD) may map 2 MiB itself.
/// </summary>
/// <remarks>
/// Tables are added under the mmap lock for reading, by compare-and-exchange. They go (<see cref="FreeRange"/>) only under the mmap lock
/// for writing, when no mapping in the range is left to be found by rmap, and after a shoot-down has passed every access.
/// </remarks>
internal sealed unsafe class PageTable
{
    /// <summary>The end of the user half: 47 bits, less one page, as on Linux.</summary>
    public const ulong UserEnd = (1UL << 47) - PageSize.Small;

    private const int TopLevel = 3;

    private readonly FolioPool _pool;
    private readonly PhysicalMemory _memory;
    private readonly uint _root;

    /// <summary>Tables in use, the root included. Guard: atomic.</summary>
    private int _tableCount = 1;

    public PageTable(FolioPool pool, uint root)
    {
        _pool = pool;
        _memory = pool.Memory;
        _root = root;
    }

    public int TableCount => Volatile.Read(ref _tableCount);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int IndexAt(ulong address, int level) => (int)(address >> (PageSize.SmallShift + (9 * level))) & (PteTable.Length - 1);

    /// <summary>The number of bytes one entry of a level stands for.</summary>
    public static ulong SpanOf(int level) => PageSize.Small << (9 * level);

    /// <summary>The lowest-level table for an address, or the null table if there is none (or a huge entry in its place).</summary>
    public PteTable Find(ulong address)
    {
        PteTable middle = FindMiddle(address);
        if (middle.IsNull)
        {
            return default;
        }

        var entry = Pte.Read(middle.MiddleEntryFor(address));
        return IsTable(entry) ? TableAt(entry.FrameNumber) : default;
    }

    /// <summary>The entry for an address, whichever size it stands for; null where there is neither a table nor a huge entry.</summary>
    /// <remarks>Under the table's lock look again (<see cref="EntryPlace.ReadLocked"/>): a huge entry may have been split since.</remarks>
    public EntryPlace FindEntry(ulong address)
    {
        PteTable middle = FindMiddle(address);
        if (middle.IsNull)
        {
            return default;
        }

        ulong* slot = middle.MiddleEntryFor(address);
        var entry = Pte.Read(slot);
        if (entry.IsNone)
        {
            return default;
        }

        if (!IsTable(entry))
        {
            return new EntryPlace(middle, slot, isHuge: true);
        }

        PteTable table = TableAt(entry.FrameNumber);
        return new EntryPlace(table, table.EntryFor(address), isHuge: false);
    }

    /// <summary>The second-level table for an address (its entries stand for 2 MiB each), or the null table.</summary>
    public PteTable FindMiddle(ulong address)
    {
        PteTable table = TableAt(_root);
        for (int level = TopLevel; level > 1; level--)
        {
            var entry = Pte.Read(table.Entries + IndexAt(address, level));
            if (entry.IsNone)
            {
                return default;
            }

            table = TableAt(entry.FrameNumber);
        }

        return table;
    }

    /// <summary>As <see cref="Find"/>, adding the tables that are missing.</summary>
    /// <returns>The null table if there is no memory, or if a huge entry is in its place.</returns>
    public PteTable Ensure(ulong address)
    {
        PteTable middle = EnsureMiddle(address);
        return middle.IsNull ? default : Descend(middle, IndexAt(address, 1));
    }

    /// <summary>As <see cref="FindMiddle"/>, adding the tables that are missing.</summary>
    public PteTable EnsureMiddle(ulong address)
    {
        PteTable table = TableAt(_root);
        for (int level = TopLevel; level > 1 && !table.IsNull; level--)
        {
            table = Descend(table, IndexAt(address, level));
        }

        return table;
    }

    /// <summary>Whether a huge entry, or a busy one, stands for an address.</summary>
    public bool HasHugeEntry(ulong address)
    {
        PteTable middle = FindMiddle(address);
        if (middle.IsNull)
        {
            return false;
        }

        var entry = Pte.Read(middle.MiddleEntryFor(address));
        return !entry.IsNone && !IsTable(entry);
    }

    /// <summary>
    /// Allocates a table to be kept with a huge entry (<see cref="Deposit"/>): splitting the entry must not fail for want of one.
    /// </summary>
    /// <returns>Its number, or zero if there is no memory.</returns>
    public uint AllocateSpare()
    {
        uint number = _pool.AllocateTable();
        if (number != 0)
        {
            Interlocked.Increment(ref _tableCount);
        }

        return number;
    }

    /// <summary>Gives back an empty table that nothing refers to.</summary>
    public void FreeSpare(uint number) => Free(number);

    /// <summary>Keeps an empty table with a second-level one (Linux: <c>pgtable_trans_huge_deposit</c>). Under that table's lock.</summary>
    public void Deposit(PteTable middle, uint spare)
    {
        Frame* record = _memory.FrameAt(middle.Number);
        _memory.FrameAt(spare)->Swap = record->Swap;
        record->Swap = spare;
    }

    /// <summary>Takes one of those back (Linux: <c>pgtable_trans_huge_withdraw</c>). Under the second-level table's lock.</summary>
    public uint Withdraw(PteTable middle)
    {
        Frame* record = _memory.FrameAt(middle.Number);
        uint spare = record->Swap;
        Debug.Assert(spare != 0, "Every anonymous huge entry has a table in deposit.");
        record->Swap = _memory.FrameAt(spare)->Swap;
        _memory.FrameAt(spare)->Swap = 0;
        return spare;
    }

    /// <summary>
    /// The first address at or after <paramref name="address"/> for which there is a lowest-level table or a huge entry: steps over what
    /// was never touched, at any size. At most <paramref name="end"/>.
    /// </summary>
    public ulong SkipAbsent(ulong address, ulong end)
    {
        while (address < end)
        {
            int absentLevel = AbsentLevelOf(address);
            if (absentLevel == 0)
            {
                return address;
            }

            ulong span = SpanOf(absentLevel);
            address = (address & ~(span - 1)) + span;
        }

        return end;
    }

    /// <summary>Frees the lowest-level and middle tables that cover nothing outside the range between two mappings.</summary>
    /// <param name="floor">The end of the mapping before, or zero.</param>
    /// <param name="ceiling">The start of the mapping after, or the end of the address space.</param>
    /// <param name="shootdown">How accesses that walk the tables are waited out.</param>
    /// <remarks>Linux: <c>free_pgd_range</c>. All entries in between have been taken and shot down.</remarks>
    public void FreeRange(ulong floor, ulong ceiling, TlbShootdown shootdown)
    {
        List<uint>? detached = null;
        DetachBelow(TableAt(_root), TopLevel, 0, floor, ceiling, ref detached);
        if (detached is null)
        {
            return;
        }

        // An access may be walking through a table that has just been taken out.
        shootdown.Flush();
        foreach (uint number in detached)
        {
            Free(number);
        }
    }

    /// <summary>Frees every table, the root too: the address space ends, and nobody walks it any more.</summary>
    public void FreeAll()
    {
        List<uint>? detached = null;
        DetachBelow(TableAt(_root), TopLevel, 0, 0, 1UL << 48, ref detached);
        foreach (uint number in detached ?? [])
        {
            Free(number);
        }

        Free(_root);
        Debug.Assert(_tableCount == 0, "A table outlived its address space.");
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PteTable TableAt(uint number) => new((ulong*)_memory.BytesAt(number), number);

    /// <summary>Whether an entry above the lowest level names a table.</summary>
    public static bool IsTable(Pte entry) => entry.IsPresent && !entry.IsHuge;

    private PteTable Descend(PteTable table, int index)
    {
        ulong* slot = table.Entries + index;
        var entry = Pte.Read(slot);
        if (entry.IsNone)
        {
            uint number = _pool.AllocateTable();
            if (number == 0)
            {
                return default;
            }

            Interlocked.Increment(ref _tableCount);
            Seam.Touch((nint)slot, TouchKind.Write);
            ulong found = Interlocked.CompareExchange(ref *slot, Pte.ForTable(number).Value, 0);
            if (found == 0)
            {
                return TableAt(number);
            }

            Free(number);
            entry = new Pte(found);
        }

        return IsTable(entry) ? TableAt(entry.FrameNumber) : default;
    }

    private int AbsentLevelOf(ulong address)
    {
        PteTable table = TableAt(_root);
        for (int level = TopLevel; level > 0; level--)
        {
            var entry = Pte.Read(table.Entries + IndexAt(address, level));
            if (entry.IsNone)
            {
                return level;
            }

            if (!IsTable(entry))
            {
                return 0;
            }

            table = TableAt(entry.FrameNumber);
        }

        return 0;
    }

    /// <summary>Takes out the tables under one table whose whole span lies in <c>[floor, ceiling)</c>.</summary>
    private void DetachBelow(PteTable table, int level, ulong start, ulong floor, ulong ceiling, ref List<uint>? detached)
    {
        ulong span = SpanOf(level);
        int first = floor <= start ? 0 : (int)((floor - start) / span);
        for (int i = first; i < PteTable.Length; i++)
        {
            ulong from = start + ((ulong)i * span);
            if (from >= ceiling)
            {
                return;
            }

            var entry = Pte.Read(table.Entries + i);
            if (!IsTable(entry))
            {
                continue;
            }

            if (level > 1)
            {
                DetachBelow(TableAt(entry.FrameNumber), level - 1, from, floor, ceiling, ref detached);
            }

            if (floor <= from && from + span <= ceiling)
            {
                Pte.Take(table.Entries + i);
                (detached ??= []).Add(entry.FrameNumber);
            }
        }
    }

    private void Free(uint number)
    {
        Debug.Assert(_memory.FrameAt(number)->Swap == 0, "The table has no tables in deposit any more.");
        Interlocked.Decrement(ref _tableCount);
        _pool.FreeTable(number);
    }
}
