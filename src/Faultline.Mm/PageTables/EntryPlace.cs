namespace Faultline.Mm;

/// <summary>
/// Where the entry for an address is: in a lowest-level table, or in a second-level one where that maps 2 MiB itself (or keeps a marker for as
/// much). Found by <see cref="PageTable.FindEntry"/>.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="slot">The entry.</param>
/// <param name="isHuge">Whether it is a second-level one.</param>
internal readonly unsafe struct EntryPlace(PteTable table, ulong* slot, bool isHuge)
{
    /// <summary>The table the entry is in: its lock guards the entry.</summary>
    public PteTable Table { get; } = table;

    public ulong* Slot { get; } = slot;

    /// <summary>Whether the entry stands for 2 MiB.</summary>
    public bool IsHuge { get; } = isHuge;

    /// <summary>Whether there is no table for the address, so no entry.</summary>
    public bool IsNull => Slot is null;

    public Pte Read() => IsNull ? Pte.None : ReadLocked();

    /// <summary>The entry, read under the table's lock; none if a table has come into its place since it was found, or is about to.</summary>
    public Pte ReadLocked()
    {
        var entry = Pte.Read(Slot);
        return IsHuge && ((entry.IsPresent && !entry.IsHuge) || entry == Pte.Busy) ? Pte.None : entry;
    }

    /// <summary>The frame that a present entry maps at an address.</summary>
    public uint FrameOf(Pte entry, ulong address) => entry.FrameNumber + (IsHuge ? (uint)PageTable.IndexAt(address, level: 0) : 0);
}
