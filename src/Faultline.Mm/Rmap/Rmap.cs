using System.Diagnostics;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>Counting the entries that map a frame, and filing new anonymous pages (Linux: <c>mm/rmap.c</c>). Under the table's lock.</summary>
internal static unsafe class Rmap
{
    /// <summary>Files a page nobody has mapped yet under the mapping it is born in, exclusive to it (Linux: <c>folio_add_new_anon_rmap</c>).</summary>
    public static void AddNewAnonymous(Folio folio, Vma vma, ulong address)
    {
        Debug.Assert(vma.AnonVma is not null, "The mapping was prepared before.");
        Frame* record = folio.Record;
        record->Index = vma.IndexOf(address);
        record->Owner = vma.AnonVma.OwnerHandle;
        folio.Set(FolioFlags.Anonymous | FolioFlags.Exclusive | FolioFlags.SwapBacked);
        Increment(record);
    }

    /// <summary>As <see cref="AddNewAnonymous"/>, for a huge folio that one huge entry maps.</summary>
    public static void AddNewAnonymousHuge(Folio folio, Vma vma, ulong address)
    {
        Debug.Assert(vma.AnonVma is not null, "The mapping was prepared before.");
        Frame* record = folio.Record;
        record->Index = vma.IndexOf(address);
        record->Owner = vma.AnonVma.OwnerHandle;
        folio.Set(FolioFlags.Anonymous | FolioFlags.Exclusive | FolioFlags.SwapBacked);
        Interlocked.Increment(ref record->HugeMapCount);
    }

    /// <summary>Files a page that was read back from swap (Linux: <c>folio_add_anon_rmap_ptes</c> on a fresh folio). The folio is locked.</summary>
    public static void AddSwappedIn(Folio folio, Vma vma, ulong address, bool isExclusive)
    {
        Debug.Assert(vma.AnonVma is not null, "The mapping has had anonymous pages.");
        Frame* record = folio.Record;
        if (record->Owner == 0 || isExclusive)
        {
            // An exclusive page is filed anew: its entry may have been moved while the page was away.
            record->Index = vma.IndexOf(address);

            // A page that others refer to by its slot is filed with the ancestor, in whose list all of them are.
            record->Owner = isExclusive ? vma.AnonVma.OwnerHandle : vma.AnonVma.Root.OwnerHandle;
            folio.Set(FolioFlags.Anonymous | FolioFlags.SwapBacked);
        }

        if (isExclusive)
        {
            folio.Set(FolioFlags.Exclusive);
        }

        Increment(record);
    }

    /// <summary>One more entry maps a page of a file (Linux: <c>folio_add_file_rmap_pte</c>).</summary>
    public static void AddFile(Frame* frame) => Increment(frame);

    /// <summary>One more huge entry maps a folio of a file (Linux: <c>folio_add_file_rmap_pmd</c>).</summary>
    public static void AddFileHuge(Folio folio) => Interlocked.Increment(ref folio.Record->HugeMapCount);

    /// <summary>One huge entry less maps the folio.</summary>
    public static void RemoveHuge(Folio folio)
    {
        int left = Interlocked.Decrement(ref folio.Record->HugeMapCount);
        Debug.Assert(left >= 0, "More huge entries were taken away than there were.");
    }

    /// <summary>What an entry that goes knew about a page of a file, the page must know from then on.</summary>
    public static void KeepStateOf(Pte entry, Folio folio)
    {
        if (entry.IsDirty)
        {
            folio.Set(FolioFlags.Dirty);
        }

        if (entry.IsAccessed)
        {
            folio.Set(FolioFlags.Referenced);
        }
    }

    /// <summary>One entry less maps the frame.</summary>
    public static void Remove(Frame* frame)
    {
        Seam.Touch((nint)(&frame->MapCount), TouchKind.Add);
        int left = Interlocked.Decrement(ref frame->MapCount);
        Debug.Assert(left >= 0, "More entries were taken away than there were.");
    }

    private static void Increment(Frame* frame)
    {
        Seam.Touch((nint)(&frame->MapCount), TouchKind.Add);
        Interlocked.Increment(ref frame->MapCount);
    }
}
