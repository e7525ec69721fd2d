using System.Diagnostics;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// The pages of one file by index (Linux: <c>struct address_space</c>, which has nothing to do with what is called an address space here).
/// A tree of tables of 512 slots; look-ups take no lock.
/// </summary>
/// <remarks>Whoever puts a folio in or takes it out holds the folio's lock, so a locked folio that is found here stays here.</remarks>
internal sealed class PageCache
{
    private const int BitsPerLevel = 9;
    private const int SlotsPerNode = 1 << BitsPerLevel;

    private readonly PhysicalMemory _memory;
    private readonly RankedLock _lock = new(LockRank.MmPageCache);

    /// <summary>Replaced when the tree gets higher. Guard for changes: <see cref="_lock"/>.</summary>
    private Node _root = new(0);

    /// <summary>Folio entries (in pages) and swap entries. Guard for changes: <see cref="_lock"/>.</summary>
    private long _pageCount;

    private long _swapCount;

    public PageCache(PhysicalMemory memory) => _memory = memory;

    /// <summary>Pages in memory.</summary>
    public long PageCount => Volatile.Read(ref _pageCount);

    /// <summary>Pages swapped out.</summary>
    public long SwapCount => Volatile.Read(ref _swapCount);

    /// <summary>What is at an index. A folio is not held by this: see <see cref="TryGetFolio"/>.</summary>
    public CacheEntry Find(ulong index)
    {
        Seam.Touch(this, TouchKind.Read, (int)index);
        Node node = Volatile.Read(ref _root);
        if (index >> node.Shift >= SlotsPerNode)
        {
            return default;
        }

        while (node.Shift > 0)
        {
            Node? child = Volatile.Read(ref node.Children![(int)(index >> node.Shift) & (SlotsPerNode - 1)]);
            if (child is null)
            {
                return default;
            }

            node = child;
        }

        return new CacheEntry(Volatile.Read(ref node.Slots![(int)index & (SlotsPerNode - 1)]));
    }

    /// <summary>The folio at an index with a reference (Linux: <c>filemap_get_entry</c>).</summary>
    /// <param name="index">The index.</param>
    /// <param name="pool">Where a reference taken too late goes back to.</param>
    /// <param name="folio">The folio, if <paramref name="entry"/> is one.</param>
    /// <param name="entry">What is there.</param>
    public unsafe bool TryGetFolio(ulong index, FolioPool pool, out Folio folio, out CacheEntry entry)
    {
        while (true)
        {
            entry = Find(index);
            if (!entry.IsFolio)
            {
                folio = default;
                return false;
            }

            folio = _memory.FolioAt(entry.FrameNumber);
            if (!folio.TryGet())
            {
                continue;
            }

            // The frame may have been freed and used again before we had our reference.
            if (Holds(index, entry, folio))
            {
                return true;
            }

            pool.Put(folio);
        }
    }

    /// <summary>
    /// Whether an entry that was found is still there, and still a frame of the folio it was then: the folio may have been split. With the folio's
    /// lock held it stays so.
    /// </summary>
    public unsafe bool Holds(ulong index, CacheEntry entry, Folio folio) =>
        Find(index) == entry && _memory.FrameAt(entry.FrameNumber)->Head == folio.Number;

    /// <summary>Puts an entry where there is none.</summary>
    /// <returns>Whether there was none.</returns>
    public bool TryInsert(ulong index, CacheEntry entry)
    {
        using RankedLock.Scope held = _lock.Enter();
        Node leaf = EnsureLeaf(index);
        ref ulong slot = ref leaf.Slots![(int)index & (SlotsPerNode - 1)];
        if (slot != 0)
        {
            return false;
        }

        Seam.Touch(this, TouchKind.Write, (int)index);
        Volatile.Write(ref slot, entry.Value);
        leaf.Used++;
        Count(entry, 1);
        return true;
    }

    /// <summary>Puts one entry in the place of another.</summary>
    /// <returns>Whether the other was there.</returns>
    public bool TryReplace(ulong index, CacheEntry old, CacheEntry entry)
    {
        Debug.Assert(!old.IsNone && !entry.IsNone, "Replacing neither inserts nor removes.");
        using RankedLock.Scope held = _lock.Enter();
        Node leaf = EnsureLeaf(index);
        ref ulong slot = ref leaf.Slots![(int)index & (SlotsPerNode - 1)];
        if (slot != old.Value)
        {
            return false;
        }

        Seam.Touch(this, TouchKind.Write, (int)index);
        Volatile.Write(ref slot, entry.Value);
        Count(old, -1);
        Count(entry, 1);
        return true;
    }

    /// <summary>Takes an entry away.</summary>
    /// <returns>Whether it was there.</returns>
    public bool TryRemove(ulong index, CacheEntry entry)
    {
        using RankedLock.Scope held = _lock.Enter();
        if (Find(index) != entry || entry.IsNone)
        {
            return false;
        }

        RemoveFrom(_root, index);
        Count(entry, -1);
        return true;
    }

    /// <summary>The first entry at or after an index.</summary>
    /// <returns>Whether there is one.</returns>
    public bool TryFindNext(ulong index, out ulong foundIndex, out CacheEntry entry)
    {
        using RankedLock.Scope held = _lock.Enter();
        foundIndex = index;
        entry = default;
        return index >> _root.Shift < SlotsPerNode && NextIn(_root, ref foundIndex, ref entry);
    }

    private static bool NextIn(Node node, ref ulong index, ref CacheEntry entry)
    {
        int first = (int)(index >> node.Shift) & (SlotsPerNode - 1);
        ulong start = index >> node.Shift >> BitsPerLevel << BitsPerLevel << node.Shift;
        for (int i = first; i < SlotsPerNode; i++)
        {
            if (i > first)
            {
                index = start + ((ulong)i << node.Shift);
            }

            if (node.Shift == 0)
            {
                if (node.Slots![i] != 0)
                {
                    entry = new CacheEntry(node.Slots[i]);
                    return true;
                }
            }
            else if (node.Children![i] is { } child && NextIn(child, ref index, ref entry))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Removes a slot, and the nodes that become empty.</summary>
    /// <returns>Whether the node itself is empty now.</returns>
    private static bool RemoveFrom(Node node, ulong index)
    {
        int i = (int)(index >> node.Shift) & (SlotsPerNode - 1);
        if (node.Shift == 0)
        {
            Volatile.Write(ref node.Slots![i], 0);
            return --node.Used == 0;
        }

        if (!RemoveFrom(node.Children![i]!, index))
        {
            return false;
        }

        Volatile.Write(ref node.Children[i], null);
        return --node.Used == 0;
    }

    private Node EnsureLeaf(ulong index)
    {
        while (index >> _root.Shift >= SlotsPerNode)
        {
            var higher = new Node(_root.Shift + BitsPerLevel);
            higher.Children![0] = _root;
            higher.Used = 1;
            Volatile.Write(ref _root, higher);
        }

        Node node = _root;
        while (node.Shift > 0)
        {
            ref Node? child = ref node.Children![(int)(index >> node.Shift) & (SlotsPerNode - 1)];
            if (child is null)
            {
                Volatile.Write(ref child, new Node(node.Shift - BitsPerLevel));
                node.Used++;
            }

            node = child;
        }

        return node;
    }

    private void Count(CacheEntry entry, int difference)
    {
        if (entry.IsSwap)
        {
            _swapCount += difference;
        }
        else
        {
            _pageCount += difference;
        }
    }

    private sealed class Node
    {
        /// <summary>How far an index is shifted to find its slot here. Never changes.</summary>
        public readonly int Shift;

        /// <summary>The entries, at the lowest level.</summary>
        public readonly ulong[]? Slots;

        /// <summary>The nodes below, elsewhere.</summary>
        public readonly Node?[]? Children;

        /// <summary>Slots in use. Guard: the cache's lock.</summary>
        public int Used;

        public Node(int shift)
        {
            Shift = shift;
            Slots = shift == 0 ? new ulong[SlotsPerNode] : null;
            Children = shift == 0 ? null : new Node?[SlotsPerNode];
        }
    }
}
