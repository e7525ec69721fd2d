namespace Faultline.Mm;

/// <summary>What a huge page may be made of (Linux: <c>collapse_control</c> and khugepaged's <c>max_ptes_*</c>).</summary>
/// <param name="Absent">The most pages that are absent, or the zero page.</param>
/// <param name="Swapped">The most pages that are swapped out.</param>
/// <param name="Shared">The most pages that other address spaces map too.</param>
/// <param name="MustBeUsed">Whether some page must have been used lately.</param>
internal readonly record struct CollapseLimits(int Absent, int Swapped, int Shared, bool MustBeUsed)
{
    /// <summary>No limits: MADV_COLLAPSE.</summary>
    public static CollapseLimits Forced => new(int.MaxValue, int.MaxValue, int.MaxValue, MustBeUsed: false);
}
