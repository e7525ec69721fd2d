using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>The first write to two untouched megabytes of private memory (Linux: <c>do_huge_pmd_anonymous_page</c>).</summary>
internal static unsafe class HugeAnonymousFault
{
    /// <summary>Installs a huge page where one may be, and can be had without reclaim.</summary>
    /// <returns>Whether it tried; otherwise the fault goes on with a small page.</returns>
    public static bool TryInstall(ref FaultRequest request, out FaultResult result)
    {
        result = FaultResult.Retry;
        if (!IsWanted(ref request))
        {
            return false;
        }

        // For a read too, and before anything is asked.
        AnonVmaChain.Prepare(request.Vma);
        if (request.Vma.Has(VmaFlags.UserfaultfdMissing))
        {
            // Without a table: a huge page may be moved here whole.
            result = UserfaultfdFault.Handle(ref request, PageFaultKind.Missing);
            return true;
        }

        if (!request.IsWrite)
        {
            return HugeZeroFault.TryMap(ref request, out result);
        }

        MmSystem system = request.System;
        PageTable tables = request.Mm.Table;
        PteTable middle = tables.EnsureMiddle(request.Address);
        Folio folio = middle.IsNull ? default : system.Pool.TryAllocateHuge(system.Group);
        uint spare = folio.IsNull ? 0 : tables.AllocateSpare();
        if (spare == 0)
        {
            if (!folio.IsNull)
            {
                system.Pool.Put(folio);
            }

            return false;
        }

        if (TryInstall(ref request, middle, folio, spare))
        {
            result = FaultResult.Done;
            return true;
        }

        tables.FreeSpare(spare);
        system.Pool.Put(folio);
        return true;
    }

    /// <summary>Whether the mapping has room for a huge page around the address, and may have one there (Linux: <c>thp_vma_allowable_order</c>).</summary>
    public static bool IsWanted(ref FaultRequest request)
    {
        Vma vma = request.Vma;
        if (vma.Has(VmaFlags.NoHugePage) || !HugeRange.Fits(vma, request.Address))
        {
            return false;
        }

        return request.System.TransparentHugePages switch
        {
            TransparentHugePages.Always => true,
            TransparentHugePages.Madvise => vma.Has(VmaFlags.HugePage),
            _ => false,
        };
    }

    private static bool TryInstall(ref FaultRequest request, PteTable middle, Folio folio, uint spare)
    {
        Vma vma = request.Vma;
        ulong* slot = middle.MiddleEntryFor(request.Address);
        using RankedLock.Scope held = request.System.TableLocks.Enter(middle);
        if (Interlocked.CompareExchange(ref *slot, Pte.Busy.Value, 0) != 0)
        {
            return false;
        }

        Rmap.AddNewAnonymousHuge(folio, vma, HugeRange.StartOf(request.Address));
        request.System.Pool.Lru.Add(folio);
        request.Mm.Counters.Add(CounterKind.Anonymous, folio.FrameCount);
        request.Mm.Table.Deposit(middle, spare);
        Pte.Write(slot, NewAnonymousEntry.EntryFor(vma, folio, isWriteProtected: false).With(Pte.HugePage));
        return true;
    }
}
