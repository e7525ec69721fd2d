namespace Faultline;

/// <summary>A run of pages with equal categories, as PAGEMAP_SCAN reports it.</summary>
/// <param name="Range">The pages.</param>
/// <param name="Categories">Their categories, as far as asked for.</param>
public readonly record struct PageRegion(AddressRange Range, PageCategories Categories);
