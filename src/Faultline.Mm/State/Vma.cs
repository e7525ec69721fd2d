using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// One mapping: a range of addresses with one set of rights, one backing and one userfaultfd (Linux: <c>vm_area_struct</c>).
/// </summary>
/// <remarks>
/// Members change under the mmap lock for writing; <see cref="Start"/>, <see cref="End"/> and <see cref="PageOffset"/> also under the
/// locks of the rmap structures the mapping is in, because rmap reads them under those alone. <see cref="AnonVma"/> is set once under the
/// mmap lock for reading, see <see cref="AnonVmaChain"/>.
/// </remarks>
internal sealed class Vma
{
    private AnonVma? _anonVma;
    private long _lockSequence;
    private bool _isDetached;
    private bool _hasLostPages;

    public Vma(MmState mm, ulong start, ulong end, VmaFlags flags, ulong pageOffset, IMappable? file)
    {
        Mm = mm;
        Start = start;
        End = end;
        PageOffset = pageOffset;
        File = file;
        Flags = flags;
        LockSequence = mm.VmaLocks.Sequence;
        UpdatePageRights();
    }

    /// <summary>The address space. Never changes.</summary>
    public MmState Mm { get; }

    /// <summary>The first address; page aligned.</summary>
    public ulong Start { get; private set; }

    /// <summary>The address after the last; page aligned, above <see cref="Start"/>.</summary>
    public ulong End { get; private set; }

    /// <summary>The index of the first page: in the file, or for anonymous memory the page number the mapping was born at.</summary>
    public ulong PageOffset { get; private set; }

    /// <summary>What is mapped; null for private anonymous memory. Never changes.</summary>
    public IMappable? File { get; }

    /// <summary>
    /// Guard regions were made in it once: a fork copies its entries. It only ever comes on, under the mmap lock for reading at least, and whoever must
    /// not miss it has that lock for writing.
    /// </summary>
    public bool MayHaveGuards { get; set; }

    public VmaFlags Flags { get; private set; }

    /// <summary>The flags of an ordinary entry of this mapping (Linux: <c>vm_page_prot</c>).</summary>
    public ulong PageRights { get; private set; }

    /// <summary>Where the mapping's own anonymous pages are filed; null while it has none.</summary>
    public AnonVma? AnonVma
    {
        get
        {
            Seam.Touch(this, TouchKind.Read);
            return Volatile.Read(ref _anonVma);
        }

        set => Volatile.Write(ref _anonVma, value);
    }

    /// <summary>
    /// Every <see cref="Mm.AnonVma"/> that lists this mapping: its own, and those inherited through fork. Guard: mmap lock, and
    /// the anonymous rmap lock.
    /// </summary>
    public List<AnonVma> Chain { get; } = [];

    /// <summary>The userfaultfd the mapping is registered with; null exactly if it is not armed.</summary>
    public UserfaultfdBinding? Userfaultfd { get; private set; }

    /// <summary>
    /// What a private hugetlb mapping has reserved; null if nothing, and in the child of a fork. Parts of one mapping share it. Guard for changes: mmap lock
    /// for writing.
    /// </summary>
    public HugetlbReservation? HugetlbReservation { get; set; }

    /// <summary>
    /// Whether the parent of a fork took a hugetlb page back from this mapping for want of another: what is missing here may be lost
    /// (Linux: <c>HPAGE_RESV_UNMAPPED</c>). Set once, under the lock of the file's mappings.
    /// </summary>
    public bool HasLostPages
    {
        get => Volatile.Read(ref _hasLostPages);
        set => Volatile.Write(ref _hasLostPages, value);
    }

    /// <summary>Whether the mapping was taken out of its address space.</summary>
    public bool IsDetached
    {
        get => Volatile.Read(ref _isDetached);
        set
        {
            AssertWriteLocked();
            Volatile.Write(ref _isDetached, value);
        }
    }

    /// <summary>
    /// When the mapping was write-locked last, see <see cref="VmaLocks"/>. A new one is locked, so no fault finds it before it is finished.
    /// </summary>
    public long LockSequence
    {
        get => Volatile.Read(ref _lockSequence);
        set => Volatile.Write(ref _lockSequence, value);
    }

    public ulong Length => End - Start;

    public AddressRange Range => new(new VirtualAddress(Start), Length);

    public bool IsShared => Has(VmaFlags.Shared);

    /// <summary>Private memory of no file (Linux: <c>vma_is_anonymous</c>).</summary>
    public bool IsAnonymous => File is null;

    public bool IsHugetlb => Has(VmaFlags.HugeTlb);

    /// <summary>Whether any userfaultfd mode is armed.</summary>
    public bool IsArmed => Has(VmaFlags.Userfaultfd);

    public bool Has(VmaFlags any) => (Flags & any) != 0;

    /// <summary>The index of the page at an address (Linux: <c>linear_page_index</c>).</summary>
    public ulong IndexOf(ulong address) => PageOffset + ((address - Start) >> PageSize.SmallShift);

    /// <summary>Where a page of an index would be; the caller checks that the mapping covers it.</summary>
    public ulong AddressOf(ulong index) => Start + ((index - PageOffset) << PageSize.SmallShift);

    /// <summary>Whether a page of an index lies in the mapping.</summary>
    public bool Covers(ulong index) => index >= PageOffset && index - PageOffset < Length >> PageSize.SmallShift;

    public void SetFlags(VmaFlags flags)
    {
        AssertWriteLocked();
        Flags = flags;
        UpdatePageRights();
    }

    /// <summary>Registers, or with null un-registers, the mapping with a userfaultfd for some modes.</summary>
    public void SetUserfaultfd(UserfaultfdBinding? binding, VmaFlags modes)
    {
        AssertWriteLocked();
        Userfaultfd = binding;
        SetFlags((Flags & ~VmaFlags.Userfaultfd) | modes);
    }

    /// <summary>Sets <see cref="AnonVma"/> unless another thread was first.</summary>
    public bool TrySetAnonVma(AnonVma anonVma)
    {
        Seam.Touch(this, TouchKind.Write);
        return Interlocked.CompareExchange(ref _anonVma, anonVma, null) is null;
    }

    /// <summary>Moves the borders. The caller has the mapping out of the tree and holds its rmap locks.</summary>
    public void SetBounds(ulong start, ulong end, ulong pageOffset)
    {
        AssertWriteLocked();
        Start = start;
        End = end;
        PageOffset = pageOffset;
    }

    public override string ToString() =>
        $"{Start:x}-{End:x} {Flags}{(File is null ? string.Empty : $" at page {PageOffset} of {File}")}";

    [Conditional("DEBUG")]
    private void AssertWriteLocked() => Debug.Assert(Mm.VmaLocks.IsWriteLocked(this), "A mapping changes while faults are kept out of it.");

    private void UpdatePageRights()
    {
        // Linux: vm_get_page_prot and vma_set_page_prot. Private memory never starts writable; shared memory does, unless writes must be noticed.
        if (!Has(VmaFlags.Access))
        {
            PageRights = Pte.NoRights | Pte.Accessed | Pte.NoExecute;
            return;
        }

        ulong rights = Pte.Present | Pte.User | Pte.Accessed;
        bool mustNotice = Has(VmaFlags.UserfaultfdWriteProtect);
        if (Has(VmaFlags.Write) && IsShared && !mustNotice)
        {
            rights |= Pte.Writable;
        }

        PageRights = Has(VmaFlags.Execute) ? rights : rights | Pte.NoExecute;
    }
}
