namespace Faultline;

/// <summary>
/// The arguments of PAGEMAP_SCAN. A page matches when <c>((categories ^ Inverted) &amp; Mask) == Mask</c> and, if <see cref="AnyOf"/> is not zero,
/// <c>(categories ^ Inverted) &amp; AnyOf</c> is not.
/// </summary>
public readonly record struct PagemapScanRequest
{
    /// <summary>What to look at.</summary>
    public AddressRange Range { get; init; }

    /// <summary>Flags.</summary>
    public PagemapScanFlags Flags { get; init; }

    /// <summary>The most pages to report, or zero for no limit.</summary>
    public ulong MaxPages { get; init; }

    /// <summary>Categories to invert before they are compared.</summary>
    public PageCategories Inverted { get; init; }

    /// <summary>Categories that must all be set.</summary>
    public PageCategories Mask { get; init; }

    /// <summary>Categories of which one must be set.</summary>
    public PageCategories AnyOf { get; init; }

    /// <summary>Categories to report.</summary>
    public PageCategories Return { get; init; }
}
