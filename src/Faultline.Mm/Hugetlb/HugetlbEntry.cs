using System.Threading;

namespace Faultline.Mm;

/// <summary>
/// Entries of hugetlb mappings, which are second-level ones, and the counting of who maps what (Linux: <c>make_huge_pte</c>,
/// <c>hugetlb_add_*_rmap</c>).
/// </summary>
internal static unsafe class HugetlbEntry
{
    /// <summary>An entry for a page: always accessed; writable, and dirty with it, if wanted and the mapping is.</summary>
    public static Pte For(Vma vma, Folio folio, bool wantWritable)
    {
        ulong flags = (vma.PageRights & ~Pte.Writable) | Pte.HugePage | Pte.Accessed;
        if (wantWritable && vma.Has(VmaFlags.Write))
        {
            flags |= Pte.Writable | Pte.Dirty;
        }

        return Pte.ForFrame(folio.Number, flags);
    }

    /// <summary>
    /// Files a page nobody has mapped yet under a private mapping, exclusive to it. Under the table's lock; the mapping was prepared.
    /// </summary>
    public static void AddNewAnonymous(Folio folio, Vma vma, ulong address)
    {
        Frame* record = folio.Record;
        record->Index = vma.IndexOf(address);
        record->Owner = vma.AnonVma!.OwnerHandle;
        HugetlbPool.Keep(folio);
        folio.Set(FolioFlags.Anonymous | FolioFlags.Exclusive);
        AddMapping(folio);
    }

    /// <summary>One more entry maps a page. Under the table's lock.</summary>
    public static void AddMapping(Folio folio) => Interlocked.Increment(ref folio.Record->HugeMapCount);

    /// <summary>One entry less maps a page. Under the table's lock.</summary>
    /// <returns>How many are left.</returns>
    public static int RemoveMapping(Folio folio) => Interlocked.Decrement(ref folio.Record->HugeMapCount);

    public static int MappingsOf(Folio folio) => Volatile.Read(ref folio.Record->HugeMapCount);
}
