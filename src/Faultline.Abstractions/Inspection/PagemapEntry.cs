namespace Faultline;

/// <summary>One entry of the pagemap: what a page-table entry holds, bit for bit as in <c>/proc/pid/pagemap</c>.</summary>
/// <param name="Value">The 64 bits.</param>
public readonly record struct PagemapEntry(ulong Value)
{
    /// <summary>Bit 63: a page is mapped.</summary>
    public bool IsPresent => (Value >> 63 & 1) != 0;

    /// <summary>Bit 62: swapped out, or a marker.</summary>
    public bool IsSwap => (Value >> 62 & 1) != 0;

    /// <summary>Bit 61: the page belongs to a file, or is shared anonymous memory.</summary>
    public bool IsFile => (Value >> 61 & 1) != 0;

    /// <summary>Bit 58: part of a guard region.</summary>
    public bool IsGuard => (Value >> 58 & 1) != 0;

    /// <summary>Bit 57: write-protected by userfaultfd.</summary>
    public bool IsUserfaultfdWriteProtected => (Value >> 57 & 1) != 0;

    /// <summary>Bit 56: mapped here and nowhere else.</summary>
    public bool IsExclusive => (Value >> 56 & 1) != 0;

    /// <summary>Bits 0 to 54: the frame number (zero without CAP_SYS_ADMIN), or type and offset of the swap entry.</summary>
    public ulong FrameOrSwap => Value & ((1UL << 55) - 1);
}
