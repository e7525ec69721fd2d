namespace Faultline.Mm;

/// <summary>How an entry is installed.</summary>
/// <param name="EntryFlags">The flags of the entry, all but the frame number.</param>
/// <param name="AsAnonymous">Filed as a new anonymous page, exclusive to the mapping; else as a page of the file.</param>
/// <param name="Counter">The counter of the resident set.</param>
/// <param name="AddToLru">Whether the page joins the LRU lists now.</param>
/// <param name="MarkFolioDirty">Whether the page's own dirty flag is set.</param>
internal readonly record struct PteInstallDecision(
    ulong EntryFlags, bool AsAnonymous, CounterKind Counter, bool AddToLru, bool MarkFolioDirty);
