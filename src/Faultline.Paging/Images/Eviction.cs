namespace Faultline.Paging;

/// <summary>
/// Keeps an image under its budget. Pages leave the cache by a hole punched into the memory file, which takes them out of every mapping;
/// pages that a private mapping has
/// written are its own and stay. The store still has the contents, because an image with a budget is never written shared.
/// </summary>
internal static class Eviction
{
    /// <summary>Evicts until the budget is kept.</summary>
    /// <returns>False if everything left is leased, or on its way in or out.</returns>
    public static bool MakeRoom(LoadTable table, FaultWorker worker)
    {
        while (table.IsOverBudget)
        {
            if (!TryOne(table, worker))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Evicts one chunk, if the image has a budget and something to evict.</summary>
    public static bool TryOne(LoadTable table, FaultWorker worker)
    {
        if (table.BudgetPages == 0 || !table.FillsCache || !table.TryEnterUse())
        {
            return false;
        }

        try
        {
            return table.TryBeginEvict(out int first, out int count) && Punch(table, first, count);
        }
        finally
        {
            table.ExitUse();
        }
    }

    private static bool Punch(LoadTable table, int first, int count)
    {
        SystemResult punched = table.Image.File.PunchHole(table.OffsetOf(first), (ulong)count * (ulong)table.PageBytes);
        if (!punched.IsOk)
        {
            // Sealed by someone who has the file: everything stays, from now on.
            table.UndoEvict(first, count);
            return false;
        }

        table.Core.ForgetInstalled(table, first, count);
        table.EndEvict(first, count);
        return true;
    }
}
