using System.Diagnostics;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// The folios that reclaim may take, by kind and by how lately they were used (Linux: <c>lruvec</c>). A folio on a list carries
/// <see cref="FolioFlags.Lru"/>; the flag is cleared first by whoever takes it off, so only one does.
/// </summary>
internal sealed unsafe class LruLists
{
    private const int KindCount = 5;
    private const int OrderShift = 8;

    private readonly PhysicalMemory _memory;
    private readonly RankedLock _lock = new(LockRank.MmLru);

    /// <summary>The most and the least lately added of each list, or zero. Guard: <see cref="_lock"/>.</summary>
    private readonly uint[] _newest = new uint[KindCount];

    private readonly uint[] _oldest = new uint[KindCount];

    private readonly long[] _pages = new long[KindCount];

    public LruLists(PhysicalMemory memory) => _memory = memory;

    /// <summary>Frames on a list; racy.</summary>
    public long PagesOf(LruKind kind) => _pages[(int)kind];

    /// <summary>The list a folio belongs on by its flags.</summary>
    public static LruKind KindOf(Folio folio)
    {
        if (folio.Has(FolioFlags.Locked))
        {
            return LruKind.Unevictable;
        }

        int kind = folio.Has(FolioFlags.SwapBacked) ? (int)LruKind.InactiveAnonymous : (int)LruKind.InactiveFile;
        return (LruKind)(folio.Has(FolioFlags.Active) ? kind + 1 : kind);
    }

    /// <summary>Puts a folio on its list, as the one used last.</summary>
    public void Add(Folio folio)
    {
        Debug.Assert(!folio.Has(FolioFlags.Lru), "A folio is on one list at most.");
        using RankedLock.Scope held = _lock.Enter();
        Link(folio, KindOf(folio));
        folio.Set(FolioFlags.Lru);
    }

    /// <summary>Takes a folio off its list, if it is on one and nobody else is about to (Linux: <c>folio_isolate_lru</c>).</summary>
    public bool TryIsolate(Folio folio)
    {
        if (!folio.TestAndClear(FolioFlags.Lru))
        {
            return false;
        }

        using RankedLock.Scope held = _lock.Enter();
        Unlink(folio);
        return true;
    }

    /// <summary>
    /// Changes the flags that choose the list, and moves the folio (Linux: <c>folio_activate</c>, <c>mlock_folio</c>). A folio that is off the lists
    /// just gets the flags.
    /// </summary>
    public void Move(Folio folio, FolioFlags set, FolioFlags clear)
    {
        bool wasListed = TryIsolate(folio);
        folio.Set(set);
        folio.Clear(clear);
        if (wasListed)
        {
            Add(folio);
        }
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
            System.Threading.Interlocked.Decrement(ref folio.Record->RefCount);
        }

        return default;
    }

    private void Link(Folio folio, LruKind kind)
    {
        Frame* record = folio.Record;
        uint newest = _newest[(int)kind];
        record->List = (int)kind | (record->Order << OrderShift);
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
        _pages[kind] -= 1L << (record->List >> OrderShift);
    }
}
