using System;
using System.Collections.Generic;

namespace Faultline.Paging;

/// <summary>A part of a working set that is brought and installed together.</summary>
/// <param name="Touched">The pages, in order of address, neighbours joined.</param>
/// <param name="Reads">What is read for them: whole chunks.</param>
/// <param name="Pages">How many pages were touched.</param>
internal sealed record ReplayBatch(List<(int First, int Count)> Touched, List<(int First, int Count)> Reads, int Pages)
{
    /// <summary>
    /// Cuts a working set into batches of about <paramref name="windowPages"/> pages. The order of the batches is that of the first touches; in a batch it
    /// is that of the addresses, so that neighbours are read and installed together.
    /// </summary>
    public static List<ReplayBatch> Of(WorkingSet set, int chunkPages, int windowPages)
    {
        List<ReplayBatch> batches = [];
        List<(int First, int Count)> part = [];
        int pages = 0;
        foreach (PageTouch touch in set.Touches)
        {
            part.Add((touch.Page, touch.Count));
            pages += touch.Count;
            if (pages >= windowPages)
            {
                batches.Add(Make(part, chunkPages, pages));
                part = [];
                pages = 0;
            }
        }

        if (pages != 0)
        {
            batches.Add(Make(part, chunkPages, pages));
        }

        return batches;
    }

    private static ReplayBatch Make(List<(int First, int Count)> part, int chunkPages, int pages)
    {
        part.Sort(static (left, right) => left.First.CompareTo(right.First));
        List<(int First, int Count)> chunks = part.ConvertAll(run =>
        {
            int first = run.First / chunkPages * chunkPages;
            return (first, ((run.First + run.Count + chunkPages - 1) / chunkPages * chunkPages) - first);
        });
        return new ReplayBatch(Join(part), Join(chunks), pages);
    }

    private static List<(int First, int Count)> Join(List<(int First, int Count)> runs)
    {
        List<(int First, int Count)> joined = [];
        foreach ((int first, int count) in runs)
        {
            if (joined.Count != 0 && first <= joined[^1].First + joined[^1].Count)
            {
                (int begin, int length) = joined[^1];
                joined[^1] = (begin, Math.Max(length, first + count - begin));
            }
            else
            {
                joined.Add((first, count));
            }
        }

        return joined;
    }
}
