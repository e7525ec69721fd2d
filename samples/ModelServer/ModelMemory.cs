namespace ModelServer;

/// <summary>What a model takes of the memory.</summary>
/// <param name="ModelBytes">Its length.</param>
/// <param name="ResidentBytes">What of it is in memory.</param>
/// <param name="BudgetBytes">The most that may be.</param>
/// <param name="PagesEvicted">Pages that have left the memory.</param>
/// <param name="StoreBytes">Bytes read from the store.</param>
/// <param name="FailedLoads">Reads that failed.</param>
internal sealed record ModelMemory(ulong ModelBytes, long ResidentBytes, ulong? BudgetBytes, long PagesEvicted, long StoreBytes, long FailedLoads);
