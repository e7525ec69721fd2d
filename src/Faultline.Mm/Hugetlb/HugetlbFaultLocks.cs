using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// One lock for each page of hugetlb files (Linux: <c>hugetlb_fault_mutex_table</c>): a fault, a fill and a removal of one index do not interleave.
/// Pages share a fixed number of locks. It stands in for the folio lock too: hugetlb pages enter and leave a page cache under it.
/// </summary>
internal sealed class HugetlbFaultLocks
{
    private const int Count = 64;

    private readonly RankedLock[] _locks = new RankedLock[Count];

    public HugetlbFaultLocks()
    {
        for (int i = 0; i < Count; i++)
        {
            _locks[i] = new RankedLock(LockRank.MmHugetlbFault);
        }
    }

    public RankedLock.Scope Enter(HugetlbFile file, ulong index) =>
        _locks[((file.OwnerHandle * 31) + index) & (Count - 1)].Enter();
}
