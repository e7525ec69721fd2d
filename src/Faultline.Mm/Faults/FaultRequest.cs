namespace Faultline.Mm;

/// <summary>One fault on its way (Linux: <c>struct vm_fault</c>).</summary>
internal ref struct FaultRequest
{
    public MmState Mm { get; init; }

    /// <summary>The exact address.</summary>
    public ulong Address { get; init; }

    public bool IsWrite { get; init; }

    public AccessMode Mode { get; init; }

    /// <summary>The thread, should it have to wait.</summary>
    public FaultWaiter Waiter { get; init; }

    /// <summary>The mapping. Set under the mmap lock, valid while it is held.</summary>
    public Vma Vma { get; set; }

    /// <summary>The lowest-level table, or the second-level one of a hugetlb mapping; as <see cref="Vma"/>.</summary>
    public PteTable Table { get; set; }

    /// <summary>The entry as it was when the kind of the fault was decided.</summary>
    public Pte Entry { get; set; }

    /// <summary>The page's address: of the huge page in a hugetlb mapping.</summary>
    public readonly ulong Page => Address & ~((Vma.IsHugetlb ? PageSize.Huge : PageSize.Small) - 1);

    /// <summary>The entry's place; not in a hugetlb mapping.</summary>
    public readonly unsafe ulong* Slot => Table.EntryFor(Address);

    public readonly MmSystem System => Mm.System;
}
