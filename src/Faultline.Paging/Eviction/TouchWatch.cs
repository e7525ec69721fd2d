using System;
using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Paging;

/// <summary>
/// Has the next touch of pages noticed: their page-table entries are dropped while the pages stay in the cache, so that the next touch is a minor fault, and
/// CONTINUE resolves it. Only in memory of this program (<see cref="Pager.Map(PagedImage, PagedMapping)"/>): entries of another process cannot be dropped.
/// </summary>
internal static class TouchWatch
{
    /// <summary>The longest gap between two chunks that are looked at in one go.</summary>
    private const int LongestGap = 64;

    /// <summary>Drops the entries of chunks that nobody leases, nor can lease until this returns.</summary>
    /// <param name="table">The image's pages.</param>
    /// <param name="batch">Has the chunks.</param>
    public static void Begin(LoadTable table, EvictionBatch batch)
    {
        Span<int> chunks = batch.Watched;
        chunks.Sort();
        List<PageRun> runs = batch.WatchedRuns;
        runs.Clear();
        foreach (int chunk in chunks)
        {
            PageRun pages = table.Eviction.PagesOfChunk(chunk);
            if (runs.Count != 0 && runs[^1].End == pages.First)
            {
                runs[^1] = runs[^1] with { Count = runs[^1].Count + pages.Count };
            }
            else
            {
                runs.Add(pages);
            }
        }

        foreach (PagerClient? client in table.Core.Clients)
        {
            if (client is { IsWatchable: true })
            {
                BeginIn(table, client, batch);
            }
        }
    }

    private static void BeginIn(LoadTable table, PagerClient client, EvictionBatch batch)
    {
        // For writing: nothing is installed and nothing un-protected meanwhile, and the memory is not unmapped.
        using RankedSharedLock.WriteScope held = client.Guard.EnterWrite();
        foreach (Region region in client.RegionArray)
        {
            if (!ReferenceEquals(region.Pages.Table, table) || !client.IsWatchable || client.HasEnded || region.Pages.Watcher is not null)
            {
                continue;
            }

            List<PageRun> runs = batch.WatchedRuns;
            for (int i = 0; i < runs.Count;)
            {
                int next = i + 1;
                while (next < runs.Count && runs[next].First - runs[next - 1].End <= LongestGap && region.Kind == RegionKind.PrivateImage)
                {
                    next++;
                }

                if (region.Kind == RegionKind.PrivateImage)
                {
                    DropUnwritten(table, client, region, batch, i, next);
                }
                else if (Within(region, runs[i]) is { Count: > 0 } pages)
                {
                    Drop(table, region, pages);
                }

                i = next;
            }
        }
    }

    /// <summary>
    /// In a private mapping: of the pages that still are the image's only. Dropping one that the mapping has written would lose it, so nothing may be
    /// written between the look and the drop: the range is write-protected for as long.
    /// </summary>
    private static void DropUnwritten(LoadTable table, PagerClient client, Region region, EvictionBatch batch, int from, int to)
    {
        List<PageRun> runs = batch.WatchedRuns;
        if (Within(region, new PageRun(runs[from].First, runs[to - 1].End - runs[from].First)) is not { Count: > 0 } span)
        {
            return;
        }

        AddressRange range = region.AddressesOf(span.First, span.Count);
        if (client.Context.WriteProtect(range, WriteProtectModes.Protect).IsOk)
        {
            for (AddressRange rest = range; rest.Length != 0;)
            {
                PagemapScanRequest request = new()
                {
                    Range = rest,
                    Mask = PageCategories.File | PageCategories.Present,
                    Return = PageCategories.File | PageCategories.Present,
                };
                PagemapScanResult scan = table.Core.Engine.Home.Inspector.Scan(in request, batch.Found);
                if (!scan.IsOk || scan.WalkEnd <= rest.Start)
                {
                    client.IsWatchable = false;
                    break;
                }

                foreach (PageRegion found in batch.Found.AsSpan(0, scan.Count))
                {
                    int first = region.PageOf(found.Range.Start);
                    DropWatched(table, region, new PageRun(first, (int)found.Range.Pages.Value), runs, from, to);
                }

                rest = AddressRange.Between(scan.WalkEnd < range.End ? scan.WalkEnd : range.End, range.End);
            }
        }

        // Wakes whoever wanted to write meanwhile. After a failure above, too: a part may have been protected.
        client.Context.WriteProtect(range, WriteProtectModes.None);
    }

    /// <summary>Drops what two lists have in common: what lies between the watched chunks may be leased.</summary>
    private static void DropWatched(LoadTable table, Region region, PageRun present, List<PageRun> runs, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            PageRun watched = Within(region, runs[i]);
            int first = Math.Max(watched.First, present.First);
            int end = Math.Min(watched.End, present.End);
            if (first < end)
            {
                Drop(table, region, new PageRun(first, end - first));
            }
        }
    }

    private static void Drop(LoadTable table, Region region, PageRun pages)
    {
        if (table.Core.Engine.Home.Advise(region.AddressesOf(pages.First, pages.Count), Advice.DontNeedLocked).IsOk)
        {
            region.Pages.Installed.Clear(pages.First, pages.Count);
        }
    }

    /// <summary>The pages of a region that show these pages of the image.</summary>
    private static PageRun Within(Region region, PageRun pages)
    {
        int first = Math.Max(pages.First - region.Pages.TableBase, region.FirstPage);
        int end = Math.Min(pages.End - region.Pages.TableBase, region.EndPage);
        return new PageRun(first, Math.Max(0, end - first));
    }
}
