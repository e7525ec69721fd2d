using System;
using System.Globalization;

namespace Faultline;

/// <summary>A byte address in one address space. Any 64-bit value is allowed: whether it is mapped is the engine's answer.</summary>
/// <param name="Value">The address, in bytes from zero.</param>
public readonly record struct VirtualAddress(ulong Value) : IComparable<VirtualAddress>
{
    /// <summary>The position of the 4 KiB page that holds this address.</summary>
    public PageIndex Page => new(Value >> PageSize.SmallShift);

    /// <summary>Whether the address is a multiple of <paramref name="alignment"/> bytes (a power of two).</summary>
    public bool IsAligned(ulong alignment) => (Value & (alignment - 1)) == 0;

    /// <summary>The address rounded down to a multiple of <paramref name="alignment"/> bytes (a power of two).</summary>
    public VirtualAddress AlignDown(ulong alignment) => new(Value & ~(alignment - 1));

    /// <inheritdoc/>
    public int CompareTo(VirtualAddress other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"0x{Value:x}");

    /// <summary>The address <paramref name="bytes"/> further on, modulo 2^64.</summary>
    public static VirtualAddress operator +(VirtualAddress address, ulong bytes) => new(unchecked(address.Value + bytes));

    /// <summary>The address <paramref name="bytes"/> before, modulo 2^64.</summary>
    public static VirtualAddress operator -(VirtualAddress address, ulong bytes) => new(unchecked(address.Value - bytes));

    /// <summary>The distance in bytes from <paramref name="right"/> up to <paramref name="left"/>, modulo 2^64.</summary>
    public static ulong operator -(VirtualAddress left, VirtualAddress right) => unchecked(left.Value - right.Value);

    /// <summary>Whether <paramref name="left"/> lies below <paramref name="right"/>.</summary>
    public static bool operator <(VirtualAddress left, VirtualAddress right) => left.Value < right.Value;

    /// <summary>Whether <paramref name="left"/> lies above <paramref name="right"/>.</summary>
    public static bool operator >(VirtualAddress left, VirtualAddress right) => left.Value > right.Value;

    /// <summary>Whether <paramref name="left"/> does not lie above <paramref name="right"/>.</summary>
    public static bool operator <=(VirtualAddress left, VirtualAddress right) => left.Value <= right.Value;

    /// <summary>Whether <paramref name="left"/> does not lie below <paramref name="right"/>.</summary>
    public static bool operator >=(VirtualAddress left, VirtualAddress right) => left.Value >= right.Value;
}
