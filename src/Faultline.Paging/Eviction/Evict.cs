using System;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>
/// Takes pages out of an image's cache. They leave by a hole punched into the memory file, which takes them out of every mapping; pages that a private mapping
/// has written are its own and stay. A punch costs four times as much for a page by itself as for one among many, so they go in batches.
/// </summary>
internal static class Evict
{
    /// <summary>The most pages taken out at once in the background: others wait as long for the image's lock.</summary>
    private const int BatchPages = 512;

    /// <summary>The part of the budget that a fault makes room for beyond its own need.</summary>
    private const int Spare = 64;

    /// <summary>Evicts until the budget is kept.</summary>
    /// <returns>False if everything left is leased, or on its way in.</returns>
    public static bool MakeRoom(LoadTable table, FaultWorker worker)
    {
        while (table.IsOverBudget)
        {
            if (TryOut(table, worker, (int)Math.Min(BatchPages, (table.BudgetPages / Spare) - table.FreePages), WrittenChunks.LeftToTheEvictor))
            {
                continue;
            }

            if (table.States.Total(PageState.Evicting) == 0)
            {
                return !table.IsOverBudget;
            }

            // Someone else has them on their way out: over in a moment.
            Seam.Yield();
            Thread.Yield();
        }

        return true;
    }

    /// <summary>Evicts a little, if the image has a budget and something to evict.</summary>
    public static bool TryOne(LoadTable table, FaultWorker worker) => TryOut(table, worker, wantedPages: 1, WrittenChunks.LeftToTheEvictor);

    /// <summary>On the evictor's thread: evicts until the headroom of the budget is free, and stores what was written where it must.</summary>
    /// <returns>False if there was nothing more to evict.</returns>
    public static bool MakeHeadroom(LoadTable table, FaultWorker worker)
    {
        while (table.Eviction.TakeWishForRoom() || table.FreePages < table.HeadroomPages)
        {
            int wanted = (int)Math.Clamp(table.HeadroomPages - table.FreePages, table.ChunkPages, BatchPages);
            bool any = TryOut(table, worker, wanted, WrittenChunks.Stored);
            table.Core.Loop.Work(worker);
            if (!any)
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryOut(LoadTable table, FaultWorker worker, int wantedPages, WrittenChunks written)
    {
        if (table.BudgetPages == 0 || !table.FillsCache || !table.TryEnterUse())
        {
            return false;
        }

        try
        {
            EvictionBatch batch = worker.Evicting;
            bool hasBegun = table.Eviction.TryBeginEvict(batch, wantedPages);
            if (!batch.Watched.IsEmpty)
            {
                TouchWatch.Begin(table, batch);
                table.Eviction.EndWatch(batch);
            }

            bool any = hasBegun && Punch(table, worker);
            if (batch.Written.IsEmpty)
            {
                return any;
            }

            if (written == WrittenChunks.LeftToTheEvictor)
            {
                table.Eviction.WishForRoom();
                return any;
            }

            Span<int> chunks = stackalloc int[EvictionBatch.MostChunks];
            chunks = chunks[..batch.Written.Length];
            batch.Written.CopyTo(chunks);
            WriteBack.Store(table, chunks);
            return (table.Eviction.TryBeginEvict(batch, chunks) && Punch(table, worker)) | any;
        }
        finally
        {
            table.ExitUse();
        }
    }

    /// <summary>What happens to written chunks that a policy names.</summary>
    private enum WrittenChunks
    {
        /// <summary>They stay, and the evictor is told.</summary>
        LeftToTheEvictor = 0,

        /// <summary>They are stored, and go then.</summary>
        Stored,
    }

    private static bool Punch(LoadTable table, FaultWorker worker)
    {
        bool any = false;
        ReadOnlySpan<PageRun> runs = worker.Evicting.Runs;
        for (int i = 0; i < runs.Length; i++)
        {
            PageRun run = runs[i];
            SystemResult punched = table.Image.File.PunchHole(table.OffsetOf(run.First), (ulong)run.Count * (ulong)table.PageBytes);
            if (!punched.IsOk)
            {
                // Sealed by someone who has the file: everything stays, from now on.
                table.Eviction.UndoEvict(runs[i..], worker);
                return any;
            }

            table.Core.ForgetInstalled(table, run.First, run.Count);
            table.Eviction.EndEvict(run, worker);
            any = true;
        }

        return any;
    }
}
