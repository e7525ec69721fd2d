using System;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Paging;

/// <summary>
/// Takes pages out of an image's cache. They leave by a hole punched into the memory file, which takes them out of every mapping; pages that a private mapping
/// has written are its own and stay. A punch costs four times as much for a page by itself as for one among many, so they go in batches.
/// </summary>
internal static class Eviction
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
            if (TryOut(table, worker, (int)Math.Min(BatchPages, (table.BudgetPages / Spare) - table.FreePages)))
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
    public static bool TryOne(LoadTable table, FaultWorker worker) => TryOut(table, worker, wantedPages: 1);

    /// <summary>Evicts until the headroom of the budget is free.</summary>
    /// <returns>False if there was nothing more to evict.</returns>
    public static bool MakeHeadroom(LoadTable table, FaultWorker worker)
    {
        while (table.FreePages < table.HeadroomPages)
        {
            if (!TryOut(table, worker, (int)Math.Min(BatchPages, table.HeadroomPages - table.FreePages)))
            {
                return false;
            }

            table.Core.Loop.Work(worker);
        }

        return true;
    }

    private static bool TryOut(LoadTable table, FaultWorker worker, int wantedPages)
    {
        if (table.BudgetPages == 0 || !table.FillsCache || !table.TryEnterUse())
        {
            return false;
        }

        try
        {
            return table.TryBeginEvict(worker.Evicting, wantedPages) && Punch(table, worker);
        }
        finally
        {
            table.ExitUse();
        }
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
                table.UndoEvict(runs[i..], worker);
                return any;
            }

            table.Core.ForgetInstalled(table, run.First, run.Count);
            table.EndEvict(run, worker);
            any = true;
        }

        return any;
    }
}
