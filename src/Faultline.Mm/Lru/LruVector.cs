using System.Diagnostics;
using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// One set of LRU lists with a lock (Linux: <c>lruvec</c>). Linux has one for each memory node; here threads are spread over several, see
/// <see cref="LruLists"/>.
/// </summary>
internal sealed unsafe class LruVector
{
    private const int KindCount = 5;

    /// <summary>In <see cref="Frame.List"/>: the kind below, then the order the folio had when it was added, then the vector.</summary>
    private const int OrderShift = 8;

    private const int NumberShift = 16;

    private readonly PhysicalMemory _memory;
    private readonly int _number;
    private readonly RankedLock _lock = new(LockRank.MmLru);

    /// <summary>The most and the least lately added of each list, or zero. Guard: <see cref="_lock"/>.</summary>
    private readonly uint[] _newest = new uint[KindCount];

    private readonly uint[] _oldest = new uint[KindCount];

    /// <summary>Longer than needed: the next vector, made right after this one, begins in another cache line.</summary>
    private readonly long[] _pages = new long[KindCount + (ProcessorStripes.Bytes / sizeof(long))];

    public LruVector(PhysicalMemory memory, int number)
    {
        _memory = memory;
        _number = number;
    }

    /// <summary>The number of the vector that a listed folio is in. Valid while the folio is not being added or taken off.</summary>
    public static int NumberOf(Folio folio) => folio.Record->List >> NumberShift;

    /// <summary>Frames on a list; racy.</summary>
    public long PagesOf(LruKind kind) => Volatile.Read(ref _pages[(int)kind]);

    public void Add(Folio folio, LruKind kind)
    {
        using RankedLock.Scope held = _lock.Enter();
        Link(folio, kind);
        folio.Set(FolioFlags.Lru);
    }

    /// <summary>Takes a folio off its list. The caller has cleared <see cref="FolioFlags.Lru"/>.</summary>
    public void Remove(Folio folio)
    {
        using RankedLock.Scope held = _lock.Enter();
        Unlink(folio);
    }

    /// <summary>Takes the folio that was used longest ago off a list, with a reference for the caller.</summary>
    /// <returns>The folio, or the null folio if the list is empty or its end is busy.</returns>
    public Folio TakeOldest(LruKind kind)
    {
        using RankedLock.Scope held = _lock.Enter();
        for (uint number = _oldest[(int)kind]; number != 0; number = _memory.FrameAt(number)->Previous)
        {
            var folio = new Folio(_memory.FrameAt(number));
            if (!folio.TryGet())
            {
                continue;
            }

            if (folio.TestAndClear(FolioFlags.Lru))
            {
                Unlink(folio);
                return folio;
            }

            // Somebody is taking it off right now and waits for our lock; that thread's reference keeps the count above ours.
            Interlocked.Decrement(ref folio.Record->RefCount);
        }

        return default;
    }

    private void Link(Folio folio, LruKind kind)
    {
        Frame* record = folio.Record;
        uint newest = _newest[(int)kind];
        record->List = (int)kind | (record->Order << OrderShift) | (_number << NumberShift);
        record->Previous = 0;
        record->Next = newest;
        if (newest == 0)
        {
            _oldest[(int)kind] = record->Number;
        }
        else
        {
            _memory.FrameAt(newest)->Previous = record->Number;
        }

        _newest[(int)kind] = record->Number;
        _pages[(int)kind] += folio.FrameCount;
    }

    private void Unlink(Folio folio)
    {
        Frame* record = folio.Record;

        // Not by the flags: they may be changing under us, the list it was put on does not.
        int kind = record->List & ((1 << OrderShift) - 1);
        if (record->Previous == 0)
        {
            Debug.Assert(_newest[kind] == record->Number, "The folio is not on the list its record names.");
            _newest[kind] = record->Next;
        }
        else
        {
            _memory.FrameAt(record->Previous)->Next = record->Next;
        }

        if (record->Next == 0)
        {
            _oldest[kind] = record->Previous;
        }
        else
        {
            _memory.FrameAt(record->Next)->Previous = record->Previous;
        }

        record->Next = 0;
        record->Previous = 0;
        _pages[kind] -= 1L << ((record->List >> OrderShift) & ((1 << (NumberShift - OrderShift)) - 1));
    }
}
