using System;
using System.Collections.Generic;

namespace Faultline.Paging;

/// <summary>The regions of a client, in order of address, as a value: changes make a new array, so that look-ups need no lock of their own.</summary>
internal static class RegionMap
{
    public static Region? Find(Region[] regions, VirtualAddress address)
    {
        int low = 0;
        int high = regions.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            Region region = regions[middle];
            if (address < region.Range.Start)
            {
                high = middle - 1;
            }
            else if (address >= region.Range.End)
            {
                low = middle + 1;
            }
            else
            {
                return region;
            }
        }

        return null;
    }

    public static Region[] Add(Region[] regions, Region added)
    {
        foreach (Region region in regions)
        {
            if (region.Range.Overlaps(added.Range))
            {
                throw new ArgumentException($"The range {added.Range} overlaps the region {region.Range}, which is served already.", nameof(added));
            }
        }

        return Sorted([.. regions, added]);
    }

    /// <summary>Takes a range away, splitting regions where it must (UNMAP).</summary>
    public static Region[] Remove(Region[] regions, AddressRange range)
    {
        List<Region> kept = new(regions.Length + 1);
        foreach (Region region in regions)
        {
            if (!region.Range.Overlaps(range))
            {
                kept.Add(region);
                continue;
            }

            if (region.Range.Start < range.Start)
            {
                kept.Add(region.Cut(AddressRange.Between(region.Range.Start, range.Start)));
            }

            if (range.End < region.Range.End)
            {
                kept.Add(region.Cut(AddressRange.Between(range.End, region.Range.End)));
            }
        }

        return Sorted([.. kept]);
    }

    /// <summary>
    /// Moves a range (REMAP). The old place stays a region, empty: if it is unmapped, an UNMAP event takes it away next; if it is not, it
    /// reads as zero.
    /// </summary>
    public static Region[] Move(Region[] regions, AddressRange from, VirtualAddress to)
    {
        List<Region> moved = [];
        List<Region> left = [];
        foreach (Region region in regions)
        {
            if (region.Range.Overlaps(from))
            {
                Region part = region.Cut(from);
                moved.Add(new Region(new AddressRange(to + (part.Range.Start - from.Start), part.Range.Length), part.Kind, part.Pages, part.FirstPage));
                left.Add(new Region(part.Range, part.Kind, part.Pages.LeaveBehind(), part.FirstPage));
            }
        }

        Region[] others = Remove(Remove(regions, from), new AddressRange(to, from.Length));
        return Sorted([.. others, .. moved, .. left]);
    }

    public static Region[] CloneForFork(Region[] regions)
    {
        Dictionary<RegionPages, RegionPages> clones = [];
        var child = new Region[regions.Length];
        for (int i = 0; i < regions.Length; i++)
        {
            Region region = regions[i];
            if (!clones.TryGetValue(region.Pages, out RegionPages? pages))
            {
                pages = region.Pages.CloneForFork();
                clones.Add(region.Pages, pages);
            }

            child[i] = new Region(region.Range, region.Kind, pages, region.FirstPage);
        }

        return child;
    }

    private static Region[] Sorted(Region[] regions)
    {
        Array.Sort(regions, static (left, right) => left.Range.Start.CompareTo(right.Range.Start));
        return regions;
    }
}
