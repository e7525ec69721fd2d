using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// The lock of each folio (Linux: <c>folio_lock</c>). Folios share a fixed number of locks, chosen by frame number, so a thread may hold
/// the lock of one folio at a time; reclaim, which may run inside, only tries and skips folios that others refer to.
/// </summary>
internal sealed class FolioLocks
{
    private const int Count = 1024;

    private readonly RankedLock[] _locks = new RankedLock[Count];

    public FolioLocks()
    {
        for (int i = 0; i < Count; i++)
        {
            _locks[i] = new RankedLock(LockRank.MmFolio);
        }
    }

    /// <summary>Locks a folio: its place in a cache, its swap slot and its contents stay as they are.</summary>
    public RankedLock.Scope Enter(Folio folio) => Of(folio).Enter();

    public RankedLock.Scope TryEnter(Folio folio) => Of(folio).TryEnter();

    public bool IsHeld(Folio folio) => Of(folio).IsHeld;

    private RankedLock Of(Folio folio) => _locks[folio.Number & (Count - 1)];
}
