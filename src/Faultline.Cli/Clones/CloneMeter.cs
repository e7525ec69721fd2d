using System;
using System.Collections.Generic;
using Faultline.Cli.Processes;
using Faultline.Cli.Restore;

namespace Faultline.Cli.Clones;

/// <summary>Looks at what a clone holds, through the engine's eyes: smaps and pagemap.</summary>
internal static class CloneMeter
{
    private const int EntriesPerRead = 4096;

    public static CloneMeasurement Measure(CloneMemory memory, PageVisitor visitor, long kernelFaults, ProcessFigures process, bool wantsPageMap)
    {
        long rss = 0;
        long pss = 0;
        IReadOnlyList<VmaInfo> mappings = memory.Space.Inspector.GetMappings(memory.Range).OrThrow("reading smaps", memory.Range);
        foreach (VmaInfo mapping in mappings)
        {
            rss += (long)mapping.Resident;
            pss += (long)mapping.ProportionalResident;
        }

        PageMap map = DrawMap(memory, visitor, out long resident);
        return new CloneMeasurement
        {
            Touched = visitor.TouchedCount,
            Written = visitor.WrittenCount,
            Resident = resident,
            KernelFaults = kernelFaults,
            OwnStoreBytes = memory.StoreBytes,
            OwnStoreReads = memory.StoreReads,
            RssBytes = rss,
            PssBytes = pss,
            ProcessRssBytes = process.RssBytes,
            ProcessPssBytes = process.PssBytes,
            Map = wantsPageMap ? map : null,
        };
    }

    private static PageMap DrawMap(CloneMemory memory, PageVisitor visitor, out long resident)
    {
        int pages = (int)memory.Range.Pages.Value;
        int pagesPerCell = ((pages - 1) / PageMap.MaxCells) + 1;
        int cells = ((pages - 1) / pagesPerCell) + 1;
        var map = new PageMap { Pages = pages, PagesPerCell = pagesPerCell, Touched = new int[cells], Written = new int[cells], Brought = new int[cells] };
        var entries = new PagemapEntry[EntriesPerRead];
        resident = 0;
        for (int first = 0; first < pages; first += EntriesPerRead)
        {
            Span<PagemapEntry> batch = entries.AsSpan(0, Math.Min(EntriesPerRead, pages - first));
            memory.Space.Inspector.ReadPagemap(memory.Range.Start + ((ulong)first * PageSize.Small), batch).OrThrow("reading the pagemap", memory.Range);
            for (int i = 0; i < batch.Length; i++)
            {
                int page = first + i;
                bool isThere = batch[i].IsPresent || batch[i].IsSwap;
                resident += isThere ? 1 : 0;
                int[]? counts = visitor.Written[page] ? map.Written
                    : visitor.Touched[page] ? map.Touched
                    : isThere ? map.Brought
                    : null;
                if (counts is not null)
                {
                    counts[page / pagesPerCell]++;
                }
            }
        }

        return map;
    }
}
