using System;
using Xunit;

namespace Faultline.Conformance;

/// <summary>Makes ranges that no call accepts.</summary>
public static class BadRanges
{
    /// <summary>All of them.</summary>
    public static TheoryData<BadRange> All => [.. Enum.GetValues<BadRange>()];

    /// <summary>A range that is bad in the given way, next to or over a good one.</summary>
    public static AddressRange Of(this BadRange bad, AddressRange good) => bad switch
    {
        BadRange.UnalignedStart => new(good.Start + 1, PageSize.Small),
        BadRange.Empty => new(good.Start, 0),
        BadRange.UnalignedLength => new(good.Start, PageSize.Small + 8),
        BadRange.WrapsAround => new(good.Start, ulong.MaxValue - (PageSize.Small - 1)),
        BadRange.BeyondTheTask => new(good.Start, 1UL << 62),
        BadRange.InTheKernel => new(new VirtualAddress(0xFFFF_8000_0000_0000), PageSize.Small),
        _ => throw new ArgumentOutOfRangeException(nameof(bad), bad, "No such range."),
    };
}
