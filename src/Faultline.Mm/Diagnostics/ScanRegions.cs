using System;

namespace Faultline.Mm;

/// <summary>The records of one scan: neighbours with equal categories are one.</summary>
internal ref struct ScanRegions(Span<PageRegion> regions, ulong maxPages, bool takesAll)
{
    private readonly Span<PageRegion> _regions = regions;
    private ulong _pages;

    /// <summary>There is no room for records, on purpose: every page counts as found.</summary>
    public bool TakesAll { get; } = takesAll;

    public int Count { get; private set; }

    /// <summary>Whether a page did not fit.</summary>
    public bool IsFull { get; private set; }

    /// <returns>Whether there was room.</returns>
    public bool TryAdd(ulong address, PageCategories categories)
    {
        if (TakesAll)
        {
            return true;
        }

        if (maxPages != 0 && _pages == maxPages)
        {
            IsFull = true;
            return false;
        }

        if (Count > 0)
        {
            PageRegion last = _regions[Count - 1];
            if (last.Categories == categories && last.Range.End.Value == address)
            {
                _regions[Count - 1] = last with { Range = last.Range with { Length = last.Range.Length + PageSize.Small } };
                _pages++;
                return true;
            }
        }

        if (Count == _regions.Length)
        {
            IsFull = true;
            return false;
        }

        _regions[Count++] = new PageRegion(new AddressRange(new VirtualAddress(address), PageSize.Small), categories);
        _pages++;
        return true;
    }

    /// <summary>As <see cref="TryAdd"/>, for a run of pages.</summary>
    /// <returns>The bytes there was room for; if all of them are needed and there was not, nothing is added.</returns>
    public ulong AddUpTo(ulong address, ulong length, PageCategories categories, bool mustTakeAll)
    {
        if (TakesAll)
        {
            return length;
        }

        bool joins = Count > 0 && _regions[Count - 1].Categories == categories && _regions[Count - 1].Range.End.Value == address;
        ulong pages = length >> PageSize.SmallShift;
        ulong room = !joins && Count == _regions.Length ? 0 : maxPages == 0 ? pages : Math.Min(pages, maxPages - _pages);
        IsFull = room < pages;
        if (room == 0 || (IsFull && mustTakeAll))
        {
            return 0;
        }

        var range = new AddressRange(new VirtualAddress(address), room << PageSize.SmallShift);
        if (joins)
        {
            PageRegion last = _regions[Count - 1];
            _regions[Count - 1] = last with { Range = last.Range with { Length = last.Range.Length + range.Length } };
        }
        else
        {
            _regions[Count++] = new PageRegion(range, categories);
        }

        _pages += room;
        return range.Length;
    }
}
