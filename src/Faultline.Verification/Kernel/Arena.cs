namespace Faultline.Verification.Kernel;

/// <summary>Where programs map memory: pages at the same addresses in every engine, under one page table, so that one read shows all of them.</summary>
internal static class Arena
{
    public const int Pages = 128;
    public const int Contexts = 3;
    public const int Files = 3;
    public const int Actors = 3;
    public const int Spaces = 2;

    /// <summary>The most pages of a file.</summary>
    public const int FilePages = 16;

    /// <summary>A page behind the arena, in the same page table.</summary>
    public const int Keeper = 400;

    /// <summary>Pages of 4 KiB in a huge page.</summary>
    public const int HugePage = 512;

    /// <summary>Where the area begins that has room for huge pages: behind the page table of the arena.</summary>
    public const int HugeFirst = 512;

    /// <summary>How many huge pages it has room for.</summary>
    public const int HugeSlots = 6;

    /// <summary>How many pages of 4 KiB that is.</summary>
    public const int HugePages = HugeSlots * HugePage;

    /// <summary>The page after all that programs use.</summary>
    public const int End = HugeFirst + HugePages;

    private const ulong Start = 0x20_0000_0000;

    public static AddressRange Range => new(new(Start), Pages * PageSize.Small);

    /// <summary>The area for huge pages.</summary>
    public static AddressRange HugeRange => new(At(HugeFirst), HugePages * PageSize.Small);

    /// <summary>The arena, what lies around it, and the area for huge pages.</summary>
    public static AddressRange Everything => AddressRange.Between(At(-Pages), At(End));

    /// <summary>Whether a page lies in the area for huge pages.</summary>
    public static bool IsHuge(int page) => page is >= HugeFirst and < End;

    public static VirtualAddress At(int page) => new(unchecked(Start + ((ulong)page * PageSize.Small)));

    public static int PageOf(VirtualAddress address) => unchecked((int)((long)(address.Value - Start) >> PageSize.SmallShift));

    /// <summary>How a place is called in scripts and reports.</summary>
    public static string Name(VirtualAddress address)
    {
        long page = unchecked((long)(address.Value - Start)) >> PageSize.SmallShift;
        ulong offset = address.Value & (PageSize.Small - 1);
        return page is < -Pages or > End
            ? address.ToString()
            : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"p{page}{(offset == 0 ? string.Empty : $"+{offset}")}");
    }
}
