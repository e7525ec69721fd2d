using System;

namespace Faultline.Mm;

/// <summary>The records of one scan: neighbours with equal categories are one.</summary>
internal ref struct ScanRegions(Span<PageRegion> regions, ulong maxPages, bool takesAll)
{
    private readonly Span<PageRegion> _regions = regions;
    private ulong _pages;

    /// <summary>Where a huge page was passed over that only a part of was to be protected: there the walk is said to end.</summary>
    public ulong? BackedOutAt { get; set; }

    /// <summary>There is no room for records, on purpose: every page counts as found.</summary>
    public bool TakesAll { get; } = takesAll;

    public int Count { get; private set; }

    /// <summary>Whether a page did not fit.</summary>
    public bool IsFull { get; private set; }

    /// <summary>The bytes of a run of pages that there is room for.</summary>
    public readonly ulong RoomFor(ulong address, ulong length, PageCategories categories)
    {
        if (TakesAll)
        {
            return length;
        }

        ulong pages = length >> PageSize.SmallShift;
        bool isOver = !Joins(address, categories) && Count == _regions.Length;
        return (isOver ? 0 : maxPages == 0 ? pages : Math.Min(pages, maxPages - _pages)) << PageSize.SmallShift;
    }

    /// <summary>Adds a run of pages, as far as there is room.</summary>
    /// <returns>The bytes there was room for.</returns>
    public ulong AddUpTo(ulong address, ulong length, PageCategories categories)
    {
        if (TakesAll)
        {
            return length;
        }

        bool joins = Joins(address, categories);
        ulong room = RoomFor(address, length, categories) >> PageSize.SmallShift;
        IsFull = room < length >> PageSize.SmallShift;
        if (room == 0)
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

    private readonly bool Joins(ulong address, PageCategories categories) =>
        Count > 0 && _regions[Count - 1].Categories == categories && _regions[Count - 1].Range.End.Value == address;
}
