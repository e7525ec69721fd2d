using System;
using System.Collections.Generic;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>What leaves the cache of an image, and what may not: leases, the choice of a policy, faults that wait for pages on their way out.</summary>
/// <param name="table">The image's pages.</param>
/// <param name="guard">The image's lock.</param>
/// <param name="states">The states of its pages.</param>
/// <param name="chunks">What may be evicted, or null if everything stays. Guard: the lock; marking a page as used needs none.</param>
internal sealed class TableEviction(LoadTable table, RankedLock guard, PageStates states, CacheChunks? chunks)
{
    private TableWrites? _writes;
    private long _evictedPages;

    /// <summary>Whether pages must stay, because memory we serve no more still shows them. Guard: the lock; only ever set.</summary>
    private bool _isStopped;

    /// <summary>Whether a fault found no room that the evictor could make, by storing what was written. A guess.</summary>
    private bool _wishesForRoom;

    /// <summary>What was written and is not stored, or null as long as nobody maps the image shared, or the store is not writable.</summary>
    public TableWrites? Writes => Volatile.Read(ref _writes);

    public long EvictedPages => Volatile.Read(ref _evictedPages);

    /// <summary>The faults about pages that are on their way out. Guard: the lock.</summary>
    public List<PageFault> Waiters => chunks!.Waiters;

    /// <summary>A page has come into the cache. The lock is held.</summary>
    public void NoteCached(int page) => chunks?.NoteCached(page);

    /// <summary>Notes that the chunk of a page is in use.</summary>
    public void MarkUsed(int page) => chunks?.MarkUsed(page);

    /// <summary>Keeps pages in the cache until <see cref="Unpin"/>.</summary>
    public void Pin(int first, int count)
    {
        while (true)
        {
            using (RankedLock.Scope held = guard.Enter())
            {
                if (chunks is null || chunks.TryPin(first, count))
                {
                    return;
                }
            }

            Seam.Yield();
            Thread.Yield();
        }
    }

    /// <summary>Undoes one <see cref="Pin"/>.</summary>
    public void Unpin(int first, int count)
    {
        using RankedLock.Scope held = guard.Enter();
        chunks?.Unpin(first, count);
    }

    /// <summary>Keeps what is cached, for good.</summary>
    public void Stop()
    {
        using RankedLock.Scope held = guard.Enter();
        _isStopped = true;
    }

    /// <summary>Chooses what to evict; see <see cref="CacheChunks"/>.</summary>
    /// <param name="batch">Receives the pages chosen.</param>
    /// <param name="wantedPages">About how many pages are to go.</param>
    /// <returns>Whether there was something.</returns>
    public bool TryBeginEvict(EvictionBatch batch, int wantedPages)
    {
        using RankedLock.Scope held = guard.Enter();
        batch.Clear();
        return !_isStopped && chunks is not null && states.Total(PageState.Cached) != 0 && chunks.TryChoose(batch, wantedPages);
    }

    /// <summary>Evicts these chunks, as far as they may go and are stored.</summary>
    public bool TryBeginEvict(EvictionBatch batch, ReadOnlySpan<int> victims)
    {
        using RankedLock.Scope held = guard.Enter();
        batch.Clear();
        if (!_isStopped)
        {
            chunks!.Begin(batch, victims);
        }

        return batch.Runs.Length != 0;
    }

    /// <summary>Begins to track and store what is written through shared mappings, if the store is writable.</summary>
    /// <returns>Whether it is tracked.</returns>
    public bool TrackWrites()
    {
        using RankedLock.Scope held = guard.Enter();
        if (_writes is null && chunks is not null && table.Image.Store is IWritablePageStore)
        {
            Volatile.Write(ref _writes, new TableWrites(guard, chunks, states));
        }

        return _writes is not null;
    }

    /// <summary>A client's touches can be watched from now on.</summary>
    public void EnableWatch()
    {
        using RankedLock.Scope held = guard.Enter();
        if (chunks is not null)
        {
            chunks.EnableWatch();
            chunks.CanWatch = true;
        }
    }

    /// <summary>The chunks of a batch are watched: they may be leased again.</summary>
    public void EndWatch(EvictionBatch batch)
    {
        using RankedLock.Scope held = guard.Enter();
        foreach (int chunk in batch.Watched)
        {
            chunks!.SetBusy(chunk, isBusy: false);
        }

        batch.ClearWatched();
    }

    public PageRun PagesOfChunk(int chunk) => chunks!.PagesOf(chunk);

    /// <summary>Asks the evictor for room.</summary>
    public void WishForRoom()
    {
        Volatile.Write(ref _wishesForRoom, true);
        table.Core.WakeEvictor();
    }

    public bool TakeWishForRoom()
    {
        bool was = Volatile.Read(ref _wishesForRoom);
        Volatile.Write(ref _wishesForRoom, false);
        return was;
    }

    /// <summary>Pages chosen by <see cref="TryBeginEvict(EvictionBatch, int)"/> are gone. Who waits for one of them is handed to
    /// <paramref name="worker"/>.</summary>
    public void EndEvict(PageRun run, FaultWorker worker)
    {
        using RankedLock.Scope held = guard.Enter();
        _evictedPages += chunks!.EndEvict(run);
        table.Guesses.Forget(run.First, run.Count);
        LetWaitersGoLocked(worker);
        states.AssertInvariants();
    }

    /// <summary>Pages chosen by <see cref="TryBeginEvict(EvictionBatch, int)"/> could not be taken out; no others are chosen any more.</summary>
    public void UndoEvict(ReadOnlySpan<PageRun> runs, FaultWorker worker)
    {
        using RankedLock.Scope held = guard.Enter();
        _isStopped = true;
        foreach (PageRun run in runs)
        {
            chunks!.UndoEvict(run);
        }

        LetWaitersGoLocked(worker);
    }

    /// <summary>Those whose page is still on its way out come back and wait anew.</summary>
    private void LetWaitersGoLocked(FaultWorker worker)
    {
        foreach (PageFault waiter in chunks!.Waiters)
        {
            worker.Put(waiter.For(FaultGoal.Resolve));
        }

        chunks.Waiters.Clear();
    }
}
