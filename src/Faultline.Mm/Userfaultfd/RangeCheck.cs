namespace Faultline.Mm;

/// <summary>The checks every range passes first (Linux: <c>validate_range</c>).</summary>
internal static class RangeCheck
{
    /// <summary>Whether a range is aligned, not empty, does not wrap around and lies in the user half.</summary>
    public static bool IsValid(ulong start, ulong length) =>
        (length & (PageSize.Small - 1)) == 0 && IsValidUnaligned(start, length) && (start & (PageSize.Small - 1)) == 0;

    /// <summary>As <see cref="IsValid"/>, but for alignment.</summary>
    public static bool IsValidUnaligned(ulong start, ulong length) =>
        length != 0 && start < PageTable.UserEnd && length <= PageTable.UserEnd - start;
}
