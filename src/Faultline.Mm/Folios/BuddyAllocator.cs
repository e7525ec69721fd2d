using System.Diagnostics;
using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// Free frames in blocks of 1, 2, 4 … 512, split on demand and joined again with their buddies (Linux: <c>mm/page_alloc.c</c>).
/// Callers ask for 4 KiB and 2 MiB only; the orders between exist for splitting.
/// </summary>
internal sealed unsafe class BuddyAllocator
{
    private const int OrderCount = PhysicalMemory.HugeOrder + 1;

    private readonly PhysicalMemory _memory;
    private readonly RankedLock _lock = new(LockRank.MmBuddy);

    /// <summary>First free block of each order, or zero. Guard: <see cref="_lock"/>.</summary>
    private readonly uint[] _heads = new uint[OrderCount];

    /// <summary>Frames on the free lists. Guard: <see cref="_lock"/>; read without it for statistics.</summary>
    private uint _freeFrames;

    public BuddyAllocator(PhysicalMemory memory) => _memory = memory;

    /// <summary>Frames that could be handed out now, those without bytes included.</summary>
    public uint AvailableFrames => Volatile.Read(ref _freeFrames) + (_memory.FrameCount - _memory.PopulatedFrames);

    /// <summary>Takes one block.</summary>
    /// <returns>Its first frame, or zero if there is none.</returns>
    public uint Allocate(int order)
    {
        using RankedLock.Scope held = _lock.Enter();
        return AllocateLocked(order, in held);
    }

    /// <summary>Takes as many single frames as there are, up to the length of <paramref name="frames"/>.</summary>
    public int AllocateBatch(System.Span<uint> frames)
    {
        using RankedLock.Scope held = _lock.Enter();
        int count = 0;
        while (count < frames.Length)
        {
            uint number = AllocateLocked(0, in held);
            if (number == 0)
            {
                break;
            }

            frames[count++] = number;
        }

        return count;
    }

    public void Free(uint number, int order)
    {
        using RankedLock.Scope held = _lock.Enter();
        FreeLocked(number, order, in held);
    }

    public void FreeBatch(System.ReadOnlySpan<uint> frames)
    {
        using RankedLock.Scope held = _lock.Enter();
        foreach (uint number in frames)
        {
            FreeLocked(number, 0, in held);
        }
    }

    private uint AllocateLocked(int order, in RankedLock.Scope held)
    {
        int found = order;
        while (found < OrderCount && _heads[found] == 0)
        {
            found++;
        }

        if (found == OrderCount)
        {
            return TryAddChunkLocked(in held) ? AllocateLocked(order, in held) : 0;
        }

        uint number = _heads[found];
        Unlink(number, found);
        while (found > order)
        {
            found--;
            Link(number + (1U << found), found);
        }

        _memory.FrameAt(number)->Order = order;
        return number;
    }

    private void FreeLocked(uint number, int order, in RankedLock.Scope held)
    {
        Debug.Assert(held.IsHeld);
        Debug.Assert((_memory.FrameAt(number)->Flags & (int)FolioFlags.Buddy) == 0, "The frame is free already.");
        while (order < PhysicalMemory.HugeOrder)
        {
            uint buddy = number ^ (1U << order);
            Frame* record = _memory.FrameAt(buddy);
            if ((record->Flags & (int)FolioFlags.Buddy) == 0 || record->Order != order)
            {
                break;
            }

            Unlink(buddy, order);
            number &= ~(1U << order);
            order++;
        }

        Link(number, order);
    }

    private bool TryAddChunkLocked(in RankedLock.Scope held)
    {
        if (!_memory.TryGrow(out uint first))
        {
            return false;
        }

        uint end = first + (1U << PhysicalMemory.ChunkShift);
        uint number = first;
        if (first == 0)
        {
            // Frame zero means "no frame": its block is handed out frame by frame, without it.
            _memory.FrameAt(0)->Flags = (int)FolioFlags.Reserved;
            for (int order = 0; order < PhysicalMemory.HugeOrder; order++)
            {
                Link(1U << order, order);
            }

            number = 1U << PhysicalMemory.HugeOrder;
        }

        for (; number < end; number += 1U << PhysicalMemory.HugeOrder)
        {
            Link(number, PhysicalMemory.HugeOrder);
        }

        Debug.Assert(held.IsHeld);
        return true;
    }

    private void Link(uint number, int order)
    {
        Frame* record = _memory.FrameAt(number);
        record->Order = order;
        record->Flags = (int)FolioFlags.Buddy;
        record->Previous = 0;
        record->Next = _heads[order];
        if (record->Next != 0)
        {
            _memory.FrameAt(record->Next)->Previous = number;
        }

        _heads[order] = number;
        _freeFrames += 1U << order;
    }

    private void Unlink(uint number, int order)
    {
        Frame* record = _memory.FrameAt(number);
        if (record->Previous != 0)
        {
            _memory.FrameAt(record->Previous)->Next = record->Next;
        }
        else
        {
            _heads[order] = record->Next;
        }

        if (record->Next != 0)
        {
            _memory.FrameAt(record->Next)->Previous = record->Previous;
        }

        record->Flags = 0;
        record->Next = 0;
        record->Previous = 0;
        _freeFrames -= 1U << order;
    }
}
