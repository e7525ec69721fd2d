using System;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>The lock of each table (Linux: split page-table locks). Tables share a fixed number of locks, chosen by frame number.</summary>
internal sealed class PageTableLocks
{
    private const int CountShift = 10;
    private const int Count = 1 << CountShift;

    private readonly RankedLock[] _locks = new RankedLock[Count];

    public PageTableLocks()
    {
        for (int i = 0; i < Count; i++)
        {
            _locks[i] = new RankedLock(LockRank.MmPageTable);
        }
    }

    public RankedLock.Scope Enter(PteTable table) => Of(table).Enter();

    /// <summary>Locks two tables; give back the second scope first.</summary>
    public void EnterPair(PteTable one, PteTable other, out RankedLock.Scope first, out RankedLock.Scope second)
    {
        int low = Math.Min(Slot(one), Slot(other));
        int high = Math.Max(Slot(one), Slot(other));
        first = _locks[low].Enter();
        second = low == high ? default : _locks[high].EnterSecond();
    }

    /// <summary>Scattered: tables whose frames follow each other, of two threads perhaps, have locks far apart.</summary>
    private static int Slot(PteTable table) => (int)((table.Number * 0x9E37_79B1) >> (32 - CountShift));

    private RankedLock Of(PteTable table) => _locks[Slot(table)];
}
