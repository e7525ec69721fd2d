using System.Runtime.CompilerServices;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// A page-table entry, bit for bit as Linux keeps it on x86-64 (<c>arch/x86/include/asm/pgtable_types.h</c>, <c>pgtable_64.h</c>).
/// Present: frame number in bits 12 to 51 and the flags below. Not present and not zero: a swap entry, with the type in bits 59 to 63, the
/// complement of the offset in bits 9 to 58, and flags in bits 1 to 3; a marker is a swap entry of type <see cref="MarkerType"/>.
/// </summary>
internal readonly record struct Pte(ulong Value)
{
    public const ulong Present = 1UL << 0;
    public const ulong Writable = 1UL << 1;
    public const ulong User = 1UL << 2;
    public const ulong Accessed = 1UL << 5;
    public const ulong Dirty = 1UL << 6;

    /// <summary>In a second-level entry: it maps 2 MiB instead of naming a table.</summary>
    public const ulong HugePage = 1UL << 7;

    /// <summary>With <see cref="Present"/> clear: a page that is there, in a mapping without any rights. The frame number is then complemented.</summary>
    public const ulong NoRights = 1UL << 8;

    /// <summary>Not a counted page: the zero page.</summary>
    public const ulong Special = 1UL << 9;

    /// <summary>Write-protected by userfaultfd.</summary>
    public const ulong WriteProtected = 1UL << 10;

    public const ulong NoExecute = 1UL << 63;

    /// <summary>The flags of an entry that names a table: <c>_PAGE_TABLE</c>.</summary>
    public const ulong TableFlags = Present | Writable | User | Accessed | Dirty;

    /// <summary>In a swap entry: userfaultfd write-protection (<c>_PAGE_SWP_UFFD_WP</c>).</summary>
    public const ulong SwapWriteProtected = 1UL << 2;

    /// <summary>In a swap entry: the page was mapped here only (<c>_PAGE_SWP_EXCLUSIVE</c>).</summary>
    public const ulong SwapExclusive = 1UL << 3;

    /// <summary>The swap type of markers.</summary>
    public const uint MarkerType = 31;

    private const ulong FrameMask = 0x000F_FFFF_FFFF_F000;
    private const int SwapTypeShift = 59;
    private const int SwapOffsetShift = 14;
    private const int SwapTypeBits = 5;

    public static Pte None => default;

    /// <summary>
    /// In a second-level entry, for the moment in which what it stands for is exchanged: neither none nor present, so that nobody puts a table
    /// there. Whoever comes upon it without the table's lock looks again.
    /// </summary>
    public static Pte Busy => new(HugePage);

    public bool IsNone => Value == 0;

    /// <summary>A page is mapped, whether or not the rights of the mapping let anybody at it (Linux: <c>pte_present</c>).</summary>
    public bool IsPresent => (Value & (Present | NoRights)) != 0;

    /// <summary>Neither none nor present: swap entry or marker.</summary>
    public bool IsSwapForm => Value != 0 && !IsPresent;

    public bool IsWritable => (Value & Writable) != 0;

    public bool IsDirty => (Value & Dirty) != 0;

    public bool IsAccessed => (Value & Accessed) != 0;

    public bool IsSpecial => (Value & Special) != 0;

    public bool IsHuge => (Value & HugePage) != 0;

    /// <summary>The frame of a present entry.</summary>
    public uint FrameNumber => (uint)(((Value & Present) != 0 ? Value & FrameMask : ~Value & FrameMask) >> PageSize.SmallShift);

    public uint SwapType => (uint)(Value >> SwapTypeShift);

    public ulong SwapOffset => ~Value << SwapTypeBits >> SwapOffsetShift;

    public bool IsMarker => IsSwapForm && SwapType == MarkerType;

    /// <summary>A swap entry that names a slot of a swap area.</summary>
    public bool IsSwapSlot => IsSwapForm && SwapType != MarkerType;

    public PteMarker Marker => IsMarker ? (PteMarker)SwapOffset : PteMarker.None;

    /// <summary>None, or any marker: what a fill may write over (Linux: <c>pte_none_mostly</c>).</summary>
    public bool IsNoneMostly => IsNone || IsMarker;

    /// <summary>Write-protected by userfaultfd, in whichever form the entry is.</summary>
    public bool IsWriteProtected =>
        IsPresent ? (Value & WriteProtected) != 0
        : IsMarker ? (Marker & PteMarker.WriteProtect) != 0 || (Value & SwapWriteProtected) != 0
        : IsSwapSlot && (Value & SwapWriteProtected) != 0;

    /// <summary>An entry for a frame.</summary>
    /// <param name="frame">The frame number.</param>
    /// <param name="rights">The flags of the mapping (<see cref="Vma.PageRights"/>) and others.</param>
    public static Pte ForFrame(uint frame, ulong rights)
    {
        ulong number = (ulong)frame << PageSize.SmallShift;

        // Without the present bit the number is stored complemented, so that no processor can speculate through it.
        return new Pte(((rights & Present) != 0 ? number : ~number & FrameMask) | rights);
    }

    /// <summary>The entry of one page out of a huge entry, with the same state (Linux: what <c>__split_huge_pmd_locked</c> makes).</summary>
    public Pte ForPiece(uint frame) => ForFrame(frame, Value & ~FrameMask & ~HugePage);

    /// <summary>An entry that names a table.</summary>
    public static Pte ForTable(uint frame) => new(((ulong)frame << PageSize.SmallShift) | TableFlags);

    public static Pte ForSwap(uint type, ulong offset, ulong flags = 0) =>
        new((~offset << SwapOffsetShift >> SwapTypeBits) | ((ulong)type << SwapTypeShift) | flags);

    public static Pte ForMarker(PteMarker marker) => ForSwap(MarkerType, (ulong)marker);

    public Pte With(ulong flags) => new(Value | flags);

    public Pte Without(ulong flags) => new(Value & ~flags);

    /// <summary>Write-protected: the write bit goes, always (Linux: <c>pte_mkuffd_wp</c>).</summary>
    public Pte WithWriteProtection() => IsPresent
        ? new((Value | WriteProtected) & ~Writable)
        : new(Value | SwapWriteProtected);

    /// <summary>Not write-protected any more; the write bit is not given back (Linux: <c>pte_clear_uffd_wp</c>).</summary>
    public Pte WithoutWriteProtection() => IsPresent ? new(Value & ~WriteProtected) : new(Value & ~SwapWriteProtected);

    /// <summary>The same frame and state with other rights (Linux: <c>pte_modify</c>).</summary>
    public Pte WithRights(ulong rights)
    {
        const ulong Kept = Dirty | Accessed | Special | WriteProtected | HugePage;
        return ForFrame(FrameNumber, (Value & Kept) | rights);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Pte Read(ulong* entry)
    {
        Seam.Touch((nint)entry, TouchKind.Read);
        return new(Volatile.Read(ref *entry));
    }

    /// <summary>Writes an entry. Under the table's lock, over an entry that was not present: nobody else changes such.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Write(ulong* entry, Pte value)
    {
        Seam.Touch((nint)entry, TouchKind.Write);
        Volatile.Write(ref *entry, value.Value);
    }

    /// <summary>Takes an entry away, with the accessed and dirty bits it has in that moment (Linux: <c>ptep_get_and_clear</c>).</summary>
    public static unsafe Pte Take(ulong* entry)
    {
        Seam.Touch((nint)entry, TouchKind.Write);
        return new(Interlocked.Exchange(ref *entry, 0));
    }

    /// <summary>
    /// Sets and clears flags of a present entry without losing an accessed or dirty bit that an access sets meanwhile.
    /// </summary>
    /// <returns>The entry as it was.</returns>
    public static unsafe Pte Change(ulong* entry, ulong set, ulong clear)
    {
        Seam.Touch((nint)entry, TouchKind.Write);
        ulong seen = Volatile.Read(ref *entry);
        while (true)
        {
            ulong found = Interlocked.CompareExchange(ref *entry, (seen | set) & ~clear, seen);
            if (found == seen)
            {
                return new Pte(seen);
            }

            seen = found;
        }
    }

    public override string ToString() =>
        IsNone ? "none"
        : IsMarker ? $"marker {Marker}"
        : IsSwapForm ? $"swap {SwapType}:{SwapOffset}{(IsWriteProtected ? " wp" : string.Empty)}"
        : $"frame {FrameNumber}{Word(Writable, " write")}{Word(Dirty, " dirty")}{Word(Accessed, " accessed")}"
            + $"{Word(WriteProtected, " wp")}{Word(Special, " special")}";

    private string Word(ulong flag, string word) => (Value & flag) != 0 ? word : string.Empty;
}
