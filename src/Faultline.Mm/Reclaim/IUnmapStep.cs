namespace Faultline.Mm;

/// <summary>What <see cref="UnmapEntries{TStep}"/> puts where an entry was. A struct, as its visitor is.</summary>
internal unsafe interface IUnmapStep
{
    /// <summary>
    /// Writes what stays of an entry that was taken out of every translation, and counts it away; the table is locked. Or puts it back.
    /// </summary>
    /// <returns>False if the entry is back: the folio stays mapped.</returns>
    bool Replace(Vma vma, ulong* entry, Pte taken, Folio folio);
}
