namespace Faultline.Mm;

/// <summary>Huge folios of the page cache: each of their pages has its slot there, and its reference from there.</summary>
internal static class ShmemHugePage
{
    /// <summary>Takes every entry for a locked folio away. Nobody can map it as long as its lock is held.</summary>
    public static void Unmap(ShmemFile file, Folio folio)
    {
        // Once more if a fork has copied an entry from a place that was not yet visited to one that was.
        while (folio.IsMapped)
        {
            Zap.FileRange(file, folio.Index, folio.Index + (ulong)folio.FrameCount, ZapOptions.KeepZeroPages);
        }
    }

    /// <summary>Makes small folios of a locked huge one, unmapped; faults map them again one by one (Linux: <c>split_folio</c>).</summary>
    public static void Split(ShmemFile file, Folio folio)
    {
        Unmap(file, folio);
        int others = folio.FrameCount - 1;
        FolioSplit.Split(file.System.Pool, folio, references: 1, taken: others);
    }

    /// <summary>Whether the page cache has a huge folio that begins at an index.</summary>
    public static bool IsAt(ShmemFile file, ulong index)
    {
        CacheEntry entry = file.Cache.Find(index);
        if (!entry.IsFolio)
        {
            return false;
        }

        Folio folio = file.System.Memory.FolioAt(entry.FrameNumber);
        return folio.Number == entry.FrameNumber && folio.Order == PhysicalMemory.HugeOrder;
    }
}
