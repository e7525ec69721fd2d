namespace Faultline.Paging;

/// <summary>A range of a client's addresses and the pages it shows. Never changes: when the client moves or unmaps a part, regions are
/// replaced.</summary>
/// <param name="range">The addresses.</param>
/// <param name="kind">What memory it is.</param>
/// <param name="pages">The pages, of which this may be a part.</param>
/// <param name="firstPage">The page of <paramref name="pages"/> at the first address.</param>
internal sealed class Region(AddressRange range, RegionKind kind, RegionPages pages, int firstPage)
{
    public AddressRange Range { get; } = range;

    public RegionKind Kind { get; } = kind;

    public RegionPages Pages { get; } = pages;

    public int FirstPage { get; } = firstPage;

    public int PageCount => (int)(Range.Length / (ulong)Pages.PageBytes);

    public int EndPage => FirstPage + PageCount;

    public int PageOf(VirtualAddress address) => FirstPage + (int)((address - Range.Start) / (ulong)Pages.PageBytes);

    public AddressRange AddressesOf(int page, int count) =>
        Range.Slice((ulong)(page - FirstPage) * (ulong)Pages.PageBytes, (ulong)count * (ulong)Pages.PageBytes);

    /// <summary>The part of the region that lies in <paramref name="part"/>, which must overlap it.</summary>
    public Region Cut(AddressRange part)
    {
        AddressRange common = Range.Intersect(part);
        return new Region(common, Kind, Pages, PageOf(common.Start));
    }
}
