using System;
using System.Diagnostics;
using System.Linq;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// The folios that reclaim may take, by kind and by how lately they were used. A folio on a list carries
/// <see cref="FolioFlags.Lru"/>; the flag is cleared first by whoever takes it off, so only one does.
/// </summary>
/// <remarks>
/// Each thread adds to the lists of its own <see cref="LruVector"/>, so that threads that fault at once do not meet. What one thread has touched is in the
/// exact order of that; between threads reclaim goes round.
/// </remarks>
internal sealed class LruLists
{
    private const int VectorCount = 8;

    private readonly LruVector[] _vectors;

    /// <summary>Where reclaim looks first, next time. Racy: any value will do.</summary>
    private int _nextVector;

    public LruLists(PhysicalMemory memory) => _vectors = [.. Enumerable.Range(0, VectorCount).Select(number => new LruVector(memory, number))];

    /// <summary>The vector of the calling thread; always the same one where a schedule must not depend on it.</summary>
    private LruVector Own => _vectors[Seam.IsOn ? 0 : Environment.CurrentManagedThreadId & (VectorCount - 1)];

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

    /// <summary>Frames on a list; racy.</summary>
    public long PagesOf(LruKind kind)
    {
        long pages = 0;
        foreach (LruVector vector in _vectors)
        {
            pages += vector.PagesOf(kind);
        }

        return pages;
    }

    /// <summary>Puts a folio on its list, as the one used last.</summary>
    public void Add(Folio folio)
    {
        Debug.Assert(!folio.Has(FolioFlags.Lru), "A folio is on one list at most.");
        Own.Add(folio, KindOf(folio));
    }

    /// <summary>Takes a folio off its list, if it is on one and nobody else is about to (Linux: <c>folio_isolate_lru</c>).</summary>
    public bool TryIsolate(Folio folio)
    {
        if (!folio.TestAndClear(FolioFlags.Lru))
        {
            return false;
        }

        _vectors[LruVector.NumberOf(folio)].Remove(folio);
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
    /// <returns>The folio, or the null folio if the lists are empty or their ends are busy.</returns>
    public Folio TakeOldest(LruKind kind)
    {
        int first = _nextVector++;
        for (int i = 0; i < VectorCount; i++)
        {
            LruVector vector = _vectors[(first + i) & (VectorCount - 1)];
            if (vector.PagesOf(kind) == 0)
            {
                continue;
            }

            Folio folio = vector.TakeOldest(kind);
            if (!folio.IsNull)
            {
                return folio;
            }
        }

        return default;
    }
}
