using System;
using System.Globalization;

namespace Faultline;

/// <summary>A number of 4 KiB pages.</summary>
/// <param name="Value">The count, in pages of 4 KiB.</param>
public readonly record struct PageCount(ulong Value) : IComparable<PageCount>
{
    /// <summary>The same amount in bytes.</summary>
    public ulong Bytes => Value << PageSize.SmallShift;

    /// <summary>The number of pages that hold <paramref name="bytes"/> bytes, rounded up.</summary>
    public static PageCount FromBytes(ulong bytes) =>
        new((bytes >> PageSize.SmallShift) + ((bytes & (PageSize.Small - 1)) == 0 ? 0UL : 1UL));

    /// <summary>The sum.</summary>
    public static PageCount operator +(PageCount left, PageCount right) => new(left.Value + right.Value);

    /// <summary>The difference; the left side must not be the smaller.</summary>
    public static PageCount operator -(PageCount left, PageCount right) => new(left.Value - right.Value);

    /// <inheritdoc/>
    public int CompareTo(PageCount other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether <paramref name="left"/> is smaller than <paramref name="right"/>.</summary>
    public static bool operator <(PageCount left, PageCount right) => left.Value < right.Value;

    /// <summary>Whether <paramref name="left"/> is larger than <paramref name="right"/>.</summary>
    public static bool operator >(PageCount left, PageCount right) => left.Value > right.Value;

    /// <summary>Whether <paramref name="left"/> is smaller than <paramref name="right"/>, or equal.</summary>
    public static bool operator <=(PageCount left, PageCount right) => left.Value <= right.Value;

    /// <summary>Whether <paramref name="left"/> is larger than <paramref name="right"/>, or equal.</summary>
    public static bool operator >=(PageCount left, PageCount right) => left.Value >= right.Value;
}
