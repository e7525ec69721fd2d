using System;
using System.Globalization;

namespace Faultline;

/// <summary>
/// The position of a 4 KiB page: in an address space the address divided by 4096, in a file the offset divided by 4096 (Linux:
/// <c>pgoff_t</c>).
/// </summary>
/// <param name="Value">The index, in pages of 4 KiB.</param>
public readonly record struct PageIndex(ulong Value) : IComparable<PageIndex>
{
    /// <summary>The byte position of the page's first byte.</summary>
    public ulong ByteOffset => Value << PageSize.SmallShift;

    /// <summary>The page that holds byte <paramref name="offset"/>.</summary>
    public static PageIndex FromByteOffset(ulong offset) => new(offset >> PageSize.SmallShift);

    /// <summary>The page <paramref name="count"/> pages further on.</summary>
    public static PageIndex operator +(PageIndex index, PageCount count) => new(index.Value + count.Value);

    /// <summary>The distance in pages from <paramref name="right"/> up to <paramref name="left"/>.</summary>
    public static PageCount operator -(PageIndex left, PageIndex right) => new(left.Value - right.Value);

    /// <inheritdoc/>
    public int CompareTo(PageIndex other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether <paramref name="left"/> is smaller than <paramref name="right"/>.</summary>
    public static bool operator <(PageIndex left, PageIndex right) => left.Value < right.Value;

    /// <summary>Whether <paramref name="left"/> is larger than <paramref name="right"/>.</summary>
    public static bool operator >(PageIndex left, PageIndex right) => left.Value > right.Value;

    /// <summary>Whether <paramref name="left"/> is smaller than <paramref name="right"/>, or equal.</summary>
    public static bool operator <=(PageIndex left, PageIndex right) => left.Value <= right.Value;

    /// <summary>Whether <paramref name="left"/> is larger than <paramref name="right"/>, or equal.</summary>
    public static bool operator >=(PageIndex left, PageIndex right) => left.Value >= right.Value;
}
