using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// A fault in a hugetlb mapping (Linux: <c>hugetlb_fault</c>). Under the lock of the page's index, so a fault, a fill and a removal do not
/// interleave.
/// </summary>
internal static unsafe class HugetlbFault
{
    public static FaultResult Handle(ref FaultRequest request)
    {
        request.Table = request.Mm.Table.EnsureMiddle(request.Address);
        if (request.Table.IsNull)
        {
            return FaultResult.OutOfMemory;
        }

        var file = (HugetlbFile)request.Vma.File!;
        ulong index = HugetlbFile.IndexOf(request.Vma, request.Page);
        using RankedLock.Scope held = file.EnterIndex(index);
        var entry = Pte.Read(SlotOf(in request));
        request.Entry = entry;
        if (entry.IsNoneMostly)
        {
            return (entry.Marker & PteMarker.Poison) != 0 ? FaultResult.Poisoned : Absent(ref request, file, index);
        }

        // Otherwise nothing is missing: another thread was faster. The access sets the bits itself.
        return request.IsWrite && !entry.IsWritable ? HugetlbCopyOnWrite.Handle(ref request, file, index) : FaultResult.Done;
    }

    public static ulong* SlotOf(in FaultRequest request) => request.Table.MiddleEntryFor(request.Address);

    /// <summary>Linux: <c>hugetlb_no_page</c>.</summary>
    private static FaultResult Absent(ref FaultRequest request, HugetlbFile file, ulong index)
    {
        Vma vma = request.Vma;
        if (vma.HasLostPages)
        {
            // A zeroed page here would look as if data had never been.
            return FaultResult.BusError;
        }

        if (file.TryGetFolio(index, out Folio folio))
        {
            if (vma.Has(VmaFlags.UserfaultfdMinor))
            {
                file.System.Pool.Put(folio);
                return UserfaultfdFault.Handle(ref request, PageFaultKind.Minor);
            }
        }
        else
        {
            if (index >= file.SizeInHugePages)
            {
                return FaultResult.BusError;
            }

            if (vma.Has(VmaFlags.UserfaultfdMissing))
            {
                return UserfaultfdFault.Handle(ref request, PageFaultKind.Missing);
            }

            FaultResult made = Make(ref request, file, index, out folio);
            if (made != FaultResult.Done)
            {
                return made;
            }
        }

        return Map(ref request, file, index, folio);
    }

    /// <summary>A new page of zeroes: the file's if the mapping is shared, else the mapping's own.</summary>
    private static FaultResult Make(ref FaultRequest request, HugetlbFile file, ulong index, out Folio folio)
    {
        Vma vma = request.Vma;
        if (!vma.IsShared)
        {
            AnonVmaChain.Prepare(vma);
        }

        Errno errno = file.TakeZeroed(file.ReservationOf(vma), index, out folio);
        if (errno != Errno.None)
        {
            return errno == Errno.EAGAIN ? FaultResult.Retry : FaultResult.BusError;
        }

        if (vma.IsShared && !file.TryInsert(folio, index))
        {
            file.System.Hugetlb.Undo(file.Reservation, index, folio);
            return FaultResult.BusError;
        }

        return FaultResult.Done;
    }

    private static FaultResult Map(ref FaultRequest request, HugetlbFile file, ulong index, Folio folio)
    {
        FaultResult result = TryMap(ref request, file, index, folio);
        if (result == FaultResult.Done)
        {
            // A write goes on to the copy-on-write check, which also asks the userfaultfd.
            return request.IsWrite && !Pte.Read(SlotOf(in request)).IsWritable ? FaultResult.Retry : FaultResult.Done;
        }

        if (folio.Record->Owner == 0)
        {
            file.System.Hugetlb.Undo(file.ReservationOf(request.Vma), index, folio);
        }
        else
        {
            // It stays in the cache.
            file.System.Pool.Put(folio);
        }

        return result;
    }

    /// <summary>The entry takes over the caller's reference.</summary>
    private static FaultResult TryMap(ref FaultRequest request, HugetlbFile file, ulong index, Folio folio)
    {
        Vma vma = request.Vma;
        bool isOwn = folio.Record->Owner == 0;
        using RankedLock.Scope held = file.System.TableLocks.Enter(request.Table);
        if (isOwn && index >= file.SizeInHugePages)
        {
            // Truncation lowers the size first, and takes entries away under this lock afterwards. A page of the file it finds under the lock of the index,
            // and there may be one beyond the last whole page of a file that ends inside of it.
            return FaultResult.BusError;
        }

        ulong* slot = SlotOf(in request);
        if (Pte.Read(slot) != request.Entry)
        {
            return FaultResult.Retry;
        }

        if (isOwn)
        {
            HugetlbEntry.AddNewAnonymous(folio, vma, request.Page);
        }
        else
        {
            HugetlbEntry.AddMapping(folio);
        }

        // Also what an earlier registration has left behind: unlike in other memory, it is a write that ends it.
        Pte entry = HugetlbEntry.For(vma, folio, wantWritable: vma.IsShared);
        Pte.Write(slot, request.Entry.IsWriteProtected ? entry.WithWriteProtection() : entry);
        return FaultResult.Done;
    }
}
