using System.Threading;

namespace Faultline.Mm;

/// <summary>Cutting a huge folio into its frames (Linux: <c>__split_folio_to_order</c>).</summary>
internal static unsafe class FolioSplit
{
    private const FolioFlags OfTheWholeOnly = FolioFlags.Lru | FolioFlags.Tail;

    /// <summary>Makes each frame a folio of its own: filed after the one before, charged to the same group, on the same LRU list.</summary>
    /// <param name="pool">Where the folio is from.</param>
    /// <param name="folio">The folio. The caller holds its lock, and keeps everybody from getting at the later frames by an entry.</param>
    /// <param name="references">The references each of the later frames starts with.</param>
    /// <param name="taken">How many of the first frame's references these are in all, if the folio had them.</param>
    /// <remarks>
    /// A reference of any other kind stays on the first frame. Whoever has one looks again, under the folio's lock, whether the frame meant still belongs
    /// to the folio.
    /// </remarks>
    public static void Split(FolioPool pool, Folio folio, int references, int taken)
    {
        Frame* head = folio.Record;
        int count = folio.FrameCount;

        // Whoever else has taken it off the lists puts it back, as the small folio it then is.
        bool wasListed = pool.Lru.TryIsolate(folio);
        FolioFlags flags = (FolioFlags)Volatile.Read(ref head->Flags) & ~OfTheWholeOnly;
        for (int i = 1; i < count; i++)
        {
            Frame* frame = head + i;
            frame->Order = 0;
            frame->HugeMapCount = 0;
            frame->Owner = head->Owner;
            frame->Index = head->Index + (ulong)i;
            frame->Swap = 0;
            frame->Group = head->Group;
            frame->Flags = (int)flags;

            // Listed before anybody can find it by the page cache, and free it: reclaim passes over what has no reference yet.
            pool.Lru.Add(new Folio(frame));
            Volatile.Write(ref frame->Head, frame->Number);
            Volatile.Write(ref frame->RefCount, references);
        }

        head->Order = 0;
        Interlocked.Add(ref head->RefCount, -taken);
        if (wasListed)
        {
            pool.Lru.Add(folio);
        }
    }
}
