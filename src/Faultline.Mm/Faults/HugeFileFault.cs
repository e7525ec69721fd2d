using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>A fault where the page cache has a huge page, which is mapped whole (Linux: <c>do_set_pmd</c>).</summary>
internal static unsafe class HugeFileFault
{
    /// <summary>Maps the huge page, if there is one and the mapping may show it so.</summary>
    /// <returns>Whether the fault is done with; otherwise it goes on with a small entry.</returns>
    public static bool TryMap(ref FaultRequest request, out FaultResult result)
    {
        Vma vma = request.Vma;
        result = FaultResult.Done;
        if (vma.File is ShmemFile file && vma.IndexOf(request.Address) >= file.SizeInPages && !FileFault.MapsAround(ref request, file))
        {
            if (request.IsWrite && !vma.IsShared)
            {
                // As for every write to a private mapping.
                AnonVmaChain.Prepare(vma);
            }

            // Before a table is made: one that stays empty would keep a huge page out.
            result = FaultResult.BusError;
            return true;
        }

        // A minor fault is reported, and what a write needs of a private mapping is a copy.
        bool isCandidate = vma.File is ShmemFile
            && !vma.Has(VmaFlags.UserfaultfdMinor | VmaFlags.NoHugePage)
            && (vma.IsShared || !request.IsWrite)
            && HugeRange.Fits(vma, request.Address);
        return isCandidate && TryMap(vma, request.Address, request.IsWrite);
    }

    /// <summary>Maps the huge page around an address, if the page cache has one there and the place is empty.</summary>
    public static bool TryMap(Vma vma, ulong address, bool isWrite)
    {
        var file = (ShmemFile)vma.File!;
        MmSystem system = file.System;
        ulong index = vma.IndexOf(HugeRange.StartOf(address));
        if (!ShmemHugePage.IsAt(file, index) || !file.Cache.TryGetFolio(index, system.Pool, out Folio folio, out CacheEntry cached))
        {
            return false;
        }

        bool isMapped;
        using (RankedLock.Scope held = system.FolioLocks.Enter(folio))
        {
            isMapped = file.Cache.Holds(index, cached, folio)
                && folio.Order == PhysicalMemory.HugeOrder
                && folio.Index == index
                && TryInstall(vma, address, folio, isWrite);
        }

        if (!isMapped)
        {
            system.Pool.Put(folio);
        }

        return isMapped;
    }

    private static bool TryInstall(Vma vma, ulong address, Folio folio, bool isWrite)
    {
        MmState mm = vma.Mm;
        PteTable middle = mm.Table.EnsureMiddle(address);
        if (middle.IsNull)
        {
            return false;
        }

        ulong* slot = middle.MiddleEntryFor(address);
        using RankedLock.Scope held = mm.System.TableLocks.Enter(middle);
        if (Interlocked.CompareExchange(ref *slot, Pte.Busy.Value, 0) != 0)
        {
            return false;
        }

        ulong flags = vma.PageRights | Pte.HugePage;
        if (isWrite)
        {
            flags |= Pte.Writable | Pte.Dirty;
        }

        Rmap.AddFileHuge(folio);
        mm.Counters.Add(MmCounters.KindOf(folio), folio.FrameCount);
        Pte.Write(slot, Pte.ForFrame(folio.Number, flags));
        return true;
    }
}
