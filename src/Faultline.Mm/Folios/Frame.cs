using System.Runtime.InteropServices;

namespace Faultline.Mm;

/// <summary>
/// What is known about one frame of 4 KiB (Linux: <c>struct page</c>). The members of a folio's first frame speak for the folio.
/// Lives in native memory, never moves, and may be looked at (not trusted) at any time by anybody.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = PhysicalMemory.BytesPerFrameRecord)]
internal struct Frame
{
    /// <summary><see cref="FolioFlags"/>. Guard: atomic.</summary>
    public int Flags;

    /// <summary>References: the cache, each entry, the swap cache, and whoever is looking. Zero: free. Guard: atomic.</summary>
    public int RefCount;

    /// <summary>Small entries that map this very frame. Guard: atomic.</summary>
    public int MapCount;

    /// <summary>First frame only: huge entries that map the folio as a whole. Guard: atomic.</summary>
    public int HugeMapCount;

    /// <summary>The frame's number. Never changes.</summary>
    public uint Number;

    /// <summary>The number of the folio's first frame. Set by the allocator.</summary>
    public uint Head;

    /// <summary>Handle of the <see cref="AnonVma"/> or page cache the folio belongs to, or zero. Guard: folio lock.</summary>
    public ulong Owner;

    /// <summary>Position in the owner, in pages: in the file, or by <see cref="Vma.IndexOf"/>. Guard: as <see cref="Owner"/>.</summary>
    public ulong Index;

    /// <summary>Next in the list the frame is on: free list (guard: buddy lock) or LRU list (guard: LRU lock).</summary>
    public uint Next;

    /// <summary>Previous in that list.</summary>
    public uint Previous;

    /// <summary>
    /// The slot in the swap area, with <see cref="FolioFlags.SwapCache"/>. Guard: folio lock. With <see cref="FolioFlags.Table"/>: the first, and
    /// from there the next, of the tables in deposit for huge entries. Guard: lock of the second-level table.
    /// </summary>
    public uint Swap;

    /// <summary>The <see cref="MemoryGroup"/> that is charged, or zero. Set when charged.</summary>
    public int Group;

    /// <summary>log2 of the number of frames of the block or folio this is the first of.</summary>
    public int Order;

    /// <summary>
    /// The LRU list the folio is on, with <see cref="FolioFlags.Lru"/>, and above its eight bits the order it was put there with: a split may have
    /// changed the order since. Guard: LRU lock.
    /// </summary>
    public int List;
}
