using System;
using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>
/// Which chunks of a shared image were written and are not stored yet. A chunk that is stored is mapped write-protected everywhere, so the first write to it
/// is a fault, and noted before it is let through.
/// </summary>
/// <param name="guard">The image's lock.</param>
/// <param name="chunks">The chunks.</param>
/// <param name="states">The states of the pages.</param>
internal sealed class TableWrites(RankedLock guard, CacheChunks chunks, PageStates states)
{
    private readonly ChunkWrites[] _writes = chunks.TrackWrites();
    private long _storedPages;
    private long _failedStores;
    private Exception? _lastFailure;
    private long _retryAt;

    /// <summary>Pages taken by the store so far.</summary>
    public long StoredPages => System.Threading.Volatile.Read(ref _storedPages);

    /// <summary>Writes to the store that failed.</summary>
    public long FailedStores => System.Threading.Volatile.Read(ref _failedStores);

    /// <summary>Why the last write failed, or null if it did not.</summary>
    public Exception? LastFailure => System.Threading.Volatile.Read(ref _lastFailure);

    /// <summary>Whether the store has failed so recently that it is left alone.</summary>
    public bool IsHeldOff(long now) => now < System.Threading.Volatile.Read(ref _retryAt);

    /// <summary>Notes that a page is about to be written. The client's lock is held until it is mapped writable.</summary>
    /// <param name="page">The page.</param>
    /// <param name="fault">The write that waits.</param>
    public AdmitKind Admit(int page, in PageFault fault)
    {
        using RankedLock.Scope held = guard.Enter();
        switch (states[page])
        {
            case PageState.Cached:
                Note(page / chunks.ChunkPages);
                return AdmitKind.Admitted;
            case PageState.Evicting or PageState.Held:
                chunks.Waiters.Add(fault);
                return AdmitKind.Waits;
            default:
                return AdmitKind.Absent;
        }
    }

    /// <summary>Notes that pages that are pinned are about to be written. The client's lock is held until they are mapped writable.</summary>
    public void AdmitPinned(int first, int count)
    {
        using RankedLock.Scope held = guard.Enter();
        for (int chunk = first / chunks.ChunkPages; chunk <= (first + count - 1) / chunks.ChunkPages; chunk++)
        {
            Note(chunk);
        }
    }

    /// <summary>A client drops pages, or only its entries for them: what is in memory is stored before it goes, as it is then.</summary>
    public void NoteDropped(int first, int count)
    {
        using RankedLock.Scope held = guard.Enter();
        for (int chunk = first / chunks.ChunkPages; chunk <= (first + count - 1) / chunks.ChunkPages; chunk++)
        {
            if (chunks.HasCached(chunk))
            {
                Note(chunk);
            }
        }
    }

    /// <summary>A page is a hole although it should be in memory. True if a client made it, false if it was evicted.</summary>
    public bool NoteHole(int page)
    {
        using RankedLock.Scope held = guard.Enter();
        if (states[page] != PageState.Cached)
        {
            return false;
        }

        Note(page / chunks.ChunkPages);
        return true;
    }

    /// <summary>Memory that we serve no more still shows the image: from now on anything in it may be written.</summary>
    public void AssumeWritten()
    {
        using RankedLock.Scope held = guard.Enter();
        for (int chunk = chunks.NextResident(0); chunk >= 0; chunk = chunks.NextResident(chunk + 1))
        {
            Note(chunk);
        }
    }

    /// <summary>Begins to store written chunks that nobody leases; they must be protected next.</summary>
    /// <param name="wanted">Chunks, in order.</param>
    /// <param name="begun">Receives runs of them.</param>
    public void BeginStore(ReadOnlySpan<int> wanted, List<PageRun> begun)
    {
        using RankedLock.Scope held = guard.Enter();
        foreach (int chunk in wanted)
        {
            if (_writes[chunk] == ChunkWrites.Written && chunks.MayEvict(chunk))
            {
                _writes[chunk] = ChunkWrites.Storing;
                chunks.SetBusy(chunk, isBusy: true);
                Append(begun, chunks.PagesOf(chunk));
            }
        }
    }

    /// <summary>The protection is in place. Leases may be taken again.</summary>
    public void EndProtect(List<PageRun> runs)
    {
        using RankedLock.Scope held = guard.Enter();
        foreach (PageRun run in runs)
        {
            for (int chunk = run.First / chunks.ChunkPages; chunk * chunks.ChunkPages < run.End; chunk++)
            {
                chunks.SetBusy(chunk, isBusy: false);
            }
        }
    }

    /// <summary>
    /// Begins to store one chunk, leased or not. A leased one cannot be protected, so it counts as written again at once.
    /// </summary>
    /// <returns>The pages, the pages to protect, and whether the chunk is on its way to the store already.</returns>
    public (bool Begun, bool NeedsProtection, bool IsUnderWay) BeginFlush(int chunk)
    {
        using RankedLock.Scope held = guard.Enter();
        if (_writes[chunk] != ChunkWrites.Written)
        {
            return (false, false, _writes[chunk] != ChunkWrites.Stored);
        }

        if (chunks.IsPinned(chunk))
        {
            _writes[chunk] = ChunkWrites.StoringWritten;
            return (true, false, false);
        }

        if (!chunks.MayEvict(chunk))
        {
            return (false, false, chunks.HasCached(chunk));
        }

        _writes[chunk] = ChunkWrites.Storing;
        chunks.SetBusy(chunk, isBusy: true);
        return (true, true, false);
    }

    /// <summary>What was begun has ended.</summary>
    /// <param name="run">Whole chunks.</param>
    /// <param name="cause">Why they could not be stored, or null.</param>
    /// <param name="storedPages">How many pages the store took.</param>
    /// <param name="retryAt">When the store is to be asked again, if it failed.</param>
    public void EndStore(PageRun run, Exception? cause, int storedPages, long retryAt)
    {
        using RankedLock.Scope held = guard.Enter();
        for (int chunk = run.First / chunks.ChunkPages; chunk * chunks.ChunkPages < run.End; chunk++)
        {
            _writes[chunk] = cause is null && _writes[chunk] == ChunkWrites.Storing ? ChunkWrites.Stored : ChunkWrites.Written;
        }

        _storedPages += storedPages;
        _lastFailure = cause;
        if (cause is not null)
        {
            _failedStores++;
            _retryAt = retryAt;
        }
    }

    /// <summary>How many pages in memory the store has not got.</summary>
    public long CountWritten()
    {
        using RankedLock.Scope held = guard.Enter();
        long written = 0;
        for (int chunk = chunks.NextResident(0); chunk >= 0; chunk = chunks.NextResident(chunk + 1))
        {
            written += _writes[chunk] == ChunkWrites.Stored ? 0 : chunks.CountCached(chunk);
        }

        return written;
    }

    /// <summary>The next chunk from one on that is not stored, or -1.</summary>
    public int NextWritten(int chunk)
    {
        using RankedLock.Scope held = guard.Enter();
        while ((chunk = chunks.NextResident(chunk)) >= 0 && _writes[chunk] == ChunkWrites.Stored)
        {
            chunk++;
        }

        return chunk;
    }

    private void Note(int chunk) => _writes[chunk] = _writes[chunk] switch
    {
        ChunkWrites.Stored => ChunkWrites.Written,
        ChunkWrites.Storing => ChunkWrites.StoringWritten,
        ChunkWrites same => same,
    };

    private static void Append(List<PageRun> runs, PageRun next)
    {
        if (runs.Count != 0 && runs[^1].End == next.First && (runs[^1].Count + next.Count) * (int)PageSize.Small <= WriteBack.LongestWrite)
        {
            runs[^1] = runs[^1] with { Count = runs[^1].Count + next.Count };
        }
        else
        {
            runs.Add(next);
        }
    }
}
