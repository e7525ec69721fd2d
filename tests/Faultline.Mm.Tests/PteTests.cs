using Xunit;

namespace Faultline.Mm.Tests;

public sealed class PteTests
{
    /// <summary>Values as /proc/pid/pagemap of Linux 6.18 shows them: swap bit, type 31, and the marker above it.</summary>
    [Theory]
    [InlineData(1, 0x3f)]
    [InlineData(2, 0x5f)]
    [InlineData(4, 0x9f)]
    public void Marker_OfEachKind_HasTypeAndOffsetOfLinux(uint marker, ulong shown)
    {
        var entry = Pte.ForMarker((PteMarker)marker);
        Assert.True(entry.IsMarker);
        Assert.False(entry.IsPresent);
        Assert.Equal(shown, entry.SwapType | (entry.SwapOffset << 5));
        Assert.Equal((PteMarker)marker, entry.Marker);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(3, 12345)]
    [InlineData(30, (1L << 50) - 1)]
    public void SwapEntry_TypeAndOffset_ComeBack(uint type, ulong offset)
    {
        var entry = Pte.ForSwap(type, offset, Pte.SwapExclusive);
        Assert.Equal(type, entry.SwapType);
        Assert.Equal(offset, entry.SwapOffset);
        Assert.True(entry.IsSwapSlot);
        Assert.Equal(0UL, entry.Value & (Pte.Present | Pte.NoRights));
        Assert.True(entry.WithWriteProtection().IsWriteProtected);
        Assert.Equal(entry, entry.WithWriteProtection().WithoutWriteProtection());
    }

    [Fact]
    public void SwapEntry_OffsetZero_HasItsOffsetBitsSet() =>
        Assert.Equal(0x07FF_FFFF_FFFF_FE00UL, Pte.ForSwap(0, 0).Value);

    [Fact]
    public void PresentEntry_Bits_AreThoseOfX86()
    {
        var entry = Pte.ForFrame(0x12345, Pte.Present | Pte.Writable | Pte.User | Pte.Accessed | Pte.Dirty | Pte.NoExecute);
        Assert.Equal(0x8000_0000_1234_5067UL, entry.Value);
        Assert.Equal(0x12345U, entry.FrameNumber);
    }

    [Fact]
    public void EntryWithoutRights_FrameNumber_IsStoredComplemented()
    {
        var entry = Pte.ForFrame(0x12345, Pte.NoRights | Pte.Accessed);
        Assert.True(entry.IsPresent);
        Assert.Equal(0x12345U, entry.FrameNumber);
        Assert.Equal(0x000F_FFFF_EDCB_A000UL, entry.Value & 0x000F_FFFF_FFFF_F000UL);
        Assert.Equal(0x12345U, entry.WithRights(Pte.Present | Pte.User).FrameNumber);
    }

    [Fact]
    public void WithWriteProtection_WritableEntry_LosesTheWriteBit()
    {
        Pte entry = Pte.ForFrame(7, Pte.Present | Pte.Writable).WithWriteProtection();
        Assert.False(entry.IsWritable);
        Assert.True(entry.IsWriteProtected);
        Assert.False(entry.WithoutWriteProtection().IsWritable);
    }
}
