using System;
using System.Collections.Generic;
using System.Diagnostics.Metrics;

namespace Faultline.Paging;

/// <summary>Reads what a pager has counted of images, for <see cref="PagerMetrics"/>. Images of one name are one row.</summary>
internal static class ImageCounts
{
    public static void Reads(PagerCore pager, List<Measurement<long>> into) => Add(pager, into, static table => table.StoreReads);

    public static void Io(PagerCore pager, List<Measurement<long>> into) => Add(pager, into, static table => table.StoreBytes);

    public static void Errors(PagerCore pager, List<Measurement<long>> into) => Add(pager, into, static table => table.FailedLoads);

    public static void Evicted(PagerCore pager, List<Measurement<long>> into) => Add(pager, into, static table => table.EvictedPages);

    public static void Stored(PagerCore pager, List<Measurement<long>> into) => Add(pager, into, static table => table.Writes?.StoredPages ?? 0);

    public static void WriteErrors(PagerCore pager, List<Measurement<long>> into) => Add(pager, into, static table => table.Writes?.FailedStores ?? 0);

    public static void Written(PagerCore pager, List<Measurement<long>> into) => Add(pager, into, static table => table.Writes?.CountWritten() ?? 0);

    public static void Guessed(PagerCore pager, List<Measurement<long>> into) => Add(pager, into, static table => table.Guesses.Guessed);

    public static void GuessedUsed(PagerCore pager, List<Measurement<long>> into) => Add(pager, into, static table => table.Guesses.Used);

    public static void Replayed(PagerCore pager, List<Measurement<long>> into) =>
        Add(pager, into, static table => table.FillsCache ? table.Image.ReplayedPages : 0);

    public static void Loads(PagerCore pager, List<Measurement<long>> into) => Add(pager, into, static table => table.InFlight().Loads);

    public static void Resident(PagerCore pager, List<Measurement<long>> into) =>
        Add(pager, into, static table => table.FillsCache ? table.States.Total(PageState.Cached) * (long)PageSize.Small : 0);

    public static void Budget(PagerCore pager, List<Measurement<long>> into)
    {
        foreach (LoadTable table in pager.Tables)
        {
            if (table.BudgetPages != 0)
            {
                into.Add(new(table.BudgetPages * (long)PageSize.Small, pager.NameTag, new(TelemetryTag.Image, table.Image.Name)));
            }
        }
    }

    private static void Add(PagerCore pager, List<Measurement<long>> into, Func<LoadTable, long> value)
    {
        // One for each image, and one for each region that receives copies of one.
        SortedDictionary<string, long> images = new(StringComparer.Ordinal);
        foreach (LoadTable table in pager.Tables)
        {
            images[table.Image.Name] = images.GetValueOrDefault(table.Image.Name) + value(table);
        }

        foreach ((string image, long sum) in images)
        {
            into.Add(new(sum, pager.NameTag, new(TelemetryTag.Image, image)));
        }
    }
}
