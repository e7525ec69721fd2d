using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>A page of private memory that was never there (Linux: <c>do_anonymous_page</c>).</summary>
internal static unsafe class AnonymousFault
{
    public static FaultResult Handle(ref FaultRequest request)
    {
        Vma vma = request.Vma;
        if (vma.Has(VmaFlags.UserfaultfdMissing))
        {
            if (request.IsWrite)
            {
                // As the kernel does it: a store has prepared the mapping before anybody is asked for the page, and mappings prepared apart do not merge.
                AnonVmaChain.Prepare(vma);
            }

            return UserfaultfdFault.Handle(ref request, PageFaultKind.Missing);
        }

        return request.IsWrite ? NewPage(ref request) : ZeroPage(ref request);
    }

    private static FaultResult ZeroPage(ref FaultRequest request)
    {
        using RankedLock.Scope held = request.System.TableLocks.Enter(request.Table);
        if (Pte.Read(request.Slot) != request.Entry)
        {
            return FaultResult.Retry;
        }

        ulong rights = (request.Vma.PageRights & ~Pte.Writable) | Pte.Special;
        var entry = Pte.ForFrame(request.System.Pool.ZeroFolio.Number, rights);
        Pte.Write(request.Slot, request.Entry.IsWriteProtected ? entry.WithWriteProtection() : entry);
        return FaultResult.Done;
    }

    private static FaultResult NewPage(ref FaultRequest request)
    {
        MmSystem system = request.System;
        AnonVmaChain.Prepare(request.Vma);
        Folio folio = system.Pool.AllocateZeroed(system.Group);
        if (folio.IsNull)
        {
            return FaultResult.OutOfMemory;
        }

        if (NewAnonymousEntry.TryInstall(ref request, folio))
        {
            return FaultResult.Done;
        }

        system.Pool.Put(folio);
        return FaultResult.Retry;
    }
}
