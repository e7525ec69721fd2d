using System.Runtime.CompilerServices;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// A write to a hugetlb page that is there, but may not be written as it is (Linux: <c>hugetlb_wp</c>). Under the lock of the page's index.
/// </summary>
internal static unsafe class HugetlbCopyOnWrite
{
    public static FaultResult Handle(ref FaultRequest request, HugetlbFile file, ulong index)
    {
        Vma vma = request.Vma;
        if (request.Entry.IsWriteProtected && vma.Has(VmaFlags.UserfaultfdWriteProtect))
        {
            if (!vma.Userfaultfd!.IsWriteProtectAsync)
            {
                return UserfaultfdFault.Handle(ref request, PageFaultKind.WriteProtect);
            }

            // The fault resolves it by itself: "written" is the bit being gone.
            if (!TryUnprotect(ref request))
            {
                return FaultResult.Retry;
            }
        }

        if (TryReuse(ref request, out FaultResult result, out Folio source))
        {
            return result;
        }

        result = Copy(ref request, file, index, source);
        file.System.Pool.Put(source);
        return result;
    }

    private static bool TryUnprotect(ref FaultRequest request)
    {
        using RankedLock.Scope held = request.System.TableLocks.Enter(request.Table);
        if (!IsUnchanged(in request))
        {
            return false;
        }

        request.Entry = Pte.Change(HugetlbFault.SlotOf(in request), set: 0, clear: Pte.WriteProtected).Without(Pte.WriteProtected);
        return true;
    }

    /// <summary>The same page in the same state; only the accessed bit may have come.</summary>
    private static bool IsUnchanged(in FaultRequest request) =>
        Pte.Read(HugetlbFault.SlotOf(in request)).With(Pte.Accessed) == request.Entry.With(Pte.Accessed);

    /// <summary>Lets the page be written if it is shared, or a private one that nobody else has.</summary>
    /// <param name="request">The fault.</param>
    /// <param name="result">How it ended.</param>
    /// <param name="source">Else the page to copy, with a reference.</param>
    /// <returns>Whether it has ended.</returns>
    private static bool TryReuse(ref FaultRequest request, out FaultResult result, out Folio source)
    {
        using RankedLock.Scope held = request.System.TableLocks.Enter(request.Table);
        source = default;
        result = FaultResult.Retry;
        if (!IsUnchanged(in request))
        {
            return true;
        }

        Folio folio = request.System.Memory.FolioAt(request.Entry.FrameNumber);
        if (!request.Vma.IsShared)
        {
            // References do not count, only entries: huge pages are too few to copy one because somebody is looking.
            if (!folio.IsAnonymous || HugetlbEntry.MappingsOf(folio) != 1)
            {
                folio.Get();
                source = folio;
                return false;
            }

            folio.Set(FolioFlags.Exclusive);
        }

        // A protection bit that an earlier registration has left behind ends here: protected and writable would say two things.
        Pte.Change(HugetlbFault.SlotOf(in request), set: Pte.Writable | Pte.Dirty | Pte.Accessed, clear: Pte.WriteProtected);
        result = FaultResult.Done;
        return true;
    }

    private static FaultResult Copy(ref FaultRequest request, HugetlbFile file, ulong index, Folio source)
    {
        Vma vma = request.Vma;
        HugetlbPool pool = file.System.Hugetlb;

        // The page to be copied has used the owner's reservation already: what is left over must do.
        bool isOwner = vma.HugetlbReservation is not null && source.IsAnonymous;
        Errno errno = pool.Take(file.ReservationOf(vma), index, out Folio copy);
        if (errno == Errno.EAGAIN)
        {
            return FaultResult.Retry;
        }

        if (errno != Errno.None)
        {
            if (!isOwner)
            {
                return FaultResult.BusError;
            }

            TakeFromChildren(file, vma, index, source);
            return FaultResult.Retry;
        }

        Unsafe.CopyBlock(file.System.Pool.BytesOf(copy), file.System.Pool.BytesOf(source), (uint)PageSize.Huge);
        copy.Set(FolioFlags.UpToDate);
        AnonVmaChain.Prepare(vma);
        if (TryReplace(ref request, source, copy))
        {
            // The entry's reference.
            file.System.Pool.Put(source);
            return FaultResult.Done;
        }

        pool.Undo(file.ReservationOf(vma), index, copy);
        return FaultResult.Retry;
    }

    private static bool TryReplace(ref FaultRequest request, Folio source, Folio copy)
    {
        using RankedLock.Scope held = request.System.TableLocks.Enter(request.Table);
        if (!IsUnchanged(in request))
        {
            return false;
        }

        var taken = Pte.Take(HugetlbFault.SlotOf(in request));

        // Loads through the old entry must be over before anybody can see a store through the new one.
        request.Mm.Shootdown.Flush();
        HugetlbEntry.RemoveMapping(source);
        if (!source.IsAnonymous && taken.IsDirty)
        {
            source.Set(FolioFlags.Dirty);
        }

        HugetlbEntry.AddNewAnonymous(copy, request.Vma, request.Page);
        Pte.Write(HugetlbFault.SlotOf(in request), HugetlbEntry.For(request.Vma, copy, wantWritable: true));
        return true;
    }

    /// <summary>
    /// The pool is empty, and children of a fork have the owner's page: it is taken out of their mappings, and what they miss there from now on is an
    /// error (Linux: <c>unmap_ref_private</c>). The owner was promised its pages; they were not.
    /// </summary>
    private static void TakeFromChildren(HugetlbFile file, Vma owner, ulong index, Folio folio)
    {
        ulong small = index << HugetlbFile.SmallPagesShift;
        using RankedLock.Scope held = file.Mappings.Enter();
        foreach (Vma vma in file.Mappings.ListLocked(in held))
        {
            if (vma != owner && !vma.IsShared && vma.HugetlbReservation is null && vma.Covers(small))
            {
                HugetlbZap.TakeFolio(vma, vma.AddressOf(small), folio);
            }
        }
    }
}
