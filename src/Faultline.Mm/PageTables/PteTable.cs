namespace Faultline.Mm;

/// <summary>One table of 512 entries: a handle that names the frame and has its address at hand.</summary>
/// <param name="entries">The first entry.</param>
/// <param name="number">The frame the table lives in.</param>
internal readonly unsafe struct PteTable(ulong* entries, uint number)
{
    /// <summary>The entries in a table.</summary>
    public const int Length = 512;

    public ulong* Entries { get; } = entries;

    public uint Number { get; } = number;

    public bool IsNull => Number == 0;

    /// <summary>The entry for an address, in a lowest-level table.</summary>
    public ulong* EntryFor(ulong address) => Entries + PageTable.IndexAt(address, level: 0);

    /// <summary>The entry for an address, in a second-level table (2 MiB an entry).</summary>
    public ulong* MiddleEntryFor(ulong address) => Entries + PageTable.IndexAt(address, level: 1);
}
