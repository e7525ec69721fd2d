namespace Faultline.Mm;

/// <summary>A page-sized place in the swap area (Linux: <c>swp_entry_t</c>). Zero is no slot.</summary>
/// <param name="Number">Its number.</param>
internal readonly record struct SwapSlot(uint Number)
{
    /// <summary>The swap type in page-table entries: there is one area.</summary>
    public const uint Type = 0;

    public bool IsNone => Number == 0;

    public static SwapSlot Of(Pte entry) => new((uint)entry.SwapOffset);

    public Pte ToPte(ulong flags) => Pte.ForSwap(Type, Number, flags);
}
