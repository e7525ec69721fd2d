namespace Faultline.Mm;

/// <summary>What a page cache holds at one index: nothing, a folio, or the swap slot the folio went to (Linux: an xarray entry).</summary>
/// <param name="Value">Zero; a frame number shifted left by one; or a slot number shifted left by one, plus one.</param>
internal readonly record struct CacheEntry(ulong Value)
{
    public bool IsNone => Value == 0;

    public bool IsFolio => Value != 0 && (Value & 1) == 0;

    public bool IsSwap => (Value & 1) != 0;

    public uint FrameNumber => (uint)(Value >> 1);

    public SwapSlot Slot => new((uint)(Value >> 1));

    public static CacheEntry Of(Folio folio) => new((ulong)folio.Number << 1);

    public static CacheEntry OfFrame(uint number) => new((ulong)number << 1);

    public static CacheEntry Of(SwapSlot slot) => new(((ulong)slot.Number << 1) | 1);
}
