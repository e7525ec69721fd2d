using System.Globalization;

namespace Faultline;

/// <summary>
/// A half-open range of addresses, <c>[Start, Start + Length)</c>. Neither alignment nor wrap-around is checked here:
/// a bad range is handed to the engine, whose answer (usually <see cref="Errno.EINVAL"/>) is the documented one.
/// </summary>
/// <param name="Start">The first address.</param>
/// <param name="Length">The length in bytes.</param>
public readonly record struct AddressRange(VirtualAddress Start, ulong Length)
{
    /// <summary>The first address after the range, modulo 2^64.</summary>
    public VirtualAddress End => Start + Length;

    /// <summary>The number of 4 KiB pages in the range, rounded up.</summary>
    public PageCount Pages => PageCount.FromBytes(Length);

    /// <summary>The range from <paramref name="start"/> up to, and without, <paramref name="end"/>.</summary>
    public static AddressRange Between(VirtualAddress start, VirtualAddress end) => new(start, end - start);

    /// <summary>Whether <paramref name="address"/> lies in the range.</summary>
    public bool Contains(VirtualAddress address) => address - Start < Length;

    /// <summary>Whether all of <paramref name="other"/> lies in the range; an empty range must start in it or at its end.</summary>
    public bool Contains(AddressRange other) =>
        other.Start >= Start && other.Start - Start <= Length && other.Length <= Length - (other.Start - Start);

    /// <summary>Whether the two ranges share at least one byte. Neither may wrap around.</summary>
    public bool Overlaps(AddressRange other) => Start < other.End && other.Start < End;

    /// <summary>The part of the range that also lies in <paramref name="other"/>; empty if they do not overlap. Neither may wrap around.</summary>
    public AddressRange Intersect(AddressRange other)
    {
        VirtualAddress start = Start > other.Start ? Start : other.Start;
        VirtualAddress end = End < other.End ? End : other.End;
        return start < end ? Between(start, end) : new AddressRange(start, 0);
    }

    /// <summary>The <paramref name="length"/> bytes that begin <paramref name="offset"/> bytes into the range. Not checked.</summary>
    public AddressRange Slice(ulong offset, ulong length) => new(Start + offset, length);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"[0x{Start.Value:x}, 0x{End.Value:x})");
}
