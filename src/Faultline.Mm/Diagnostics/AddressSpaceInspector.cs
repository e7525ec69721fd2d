using System;
using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>What <c>/proc/pid</c> tells of an address space: pagemap, smaps, status, and PAGEMAP_SCAN.</summary>
internal sealed class AddressSpaceInspector : IAddressSpaceInspector
{
    private readonly MmState _mm;

    public AddressSpaceInspector(MmState mm) => _mm = mm;

    public SystemResult<int> ReadPagemap(VirtualAddress start, Span<PagemapEntry> entries)
    {
        using var use = MmUse.Begin(_mm);
        if (!use.IsHeld)
        {
            return new(0, Errno.ESRCH);
        }

        using RankedSharedLock.ReadScope held = _mm.Lock.EnterRead();
        ulong address = start.Value & ~(PageSize.Small - 1);
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i] = PagemapBits.Of(_mm, address);
            address += PageSize.Small;
        }

        return new(entries.Length, Errno.None);
    }

    public PagemapScanResult Scan(in PagemapScanRequest request, Span<PageRegion> regions)
    {
        using var use = MmUse.Begin(_mm);
        return use.IsHeld ? PagemapScan.Run(_mm, in request, regions) : new(Errno.ESRCH, 0, default);
    }

    public SystemResult<ResidentCounters> GetCounters()
    {
        using var use = MmUse.Begin(_mm);
        return use.IsHeld
            ? new(
                new ResidentCounters(
                    BytesOf(CounterKind.Anonymous), BytesOf(CounterKind.File), BytesOf(CounterKind.Shmem), BytesOf(CounterKind.Swap)),
                Errno.None)
            : new(default, Errno.ESRCH);
    }

    public SystemResult<IReadOnlyList<VmaInfo>> GetMappings(AddressRange within)
    {
        using var use = MmUse.Begin(_mm);
        if (!use.IsHeld)
        {
            return new([], Errno.ESRCH);
        }

        var found = new List<VmaInfo>();
        using RankedSharedLock.ReadScope held = _mm.Lock.EnterRead();
        ulong last = within.Start.Value + within.Length - 1;
        for (Vma? vma = _mm.Vmas.FindFrom(within.Start.Value); vma is not null && vma.Start <= last; vma = _mm.Vmas.Next(vma))
        {
            found.Add(SmapsEntry.Of(vma));
        }

        return new(found, Errno.None);
    }

    private ulong BytesOf(CounterKind kind) => (ulong)_mm.Counters.Get(kind) << PageSize.SmallShift;
}
