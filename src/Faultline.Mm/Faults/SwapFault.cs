using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>A page that went to swap (Linux: <c>do_swap_page</c>).</summary>
internal static unsafe class SwapFault
{
    public static FaultResult Handle(ref FaultRequest request)
    {
        MmSystem system = request.System;
        var slot = SwapSlot.Of(request.Entry);
        Folio folio = SwapIo.GetFolio(system, slot, out Errno errno);
        if (folio.IsNull)
        {
            return errno switch
            {
                Errno.ENOMEM => FaultResult.OutOfMemory,
                Errno.EIO when Pte.Read(request.Slot) == request.Entry => FaultResult.BusError,
                _ => FaultResult.Retry,
            };
        }

        bool isInstalled;
        using (RankedLock.Scope folioLock = system.FolioLocks.Enter(folio))
        {
            isInstalled = folio.Has(FolioFlags.SwapCache) && folio.Record->Swap == slot.Number && TryInstall(ref request, folio, slot);
        }

        if (!isInstalled)
        {
            system.Pool.Put(folio);
        }

        // A write goes on to the copy-on-write check, which also asks the userfaultfd.
        return isInstalled && !request.IsWrite ? FaultResult.Done : FaultResult.Retry;
    }

    /// <summary>Puts the entry back, read-only unless nobody else has the page. The folio is locked and in the swap cache.</summary>
    private static bool TryInstall(ref FaultRequest request, Folio folio, SwapSlot slot)
    {
        MmSystem system = request.System;
        using RankedLock.Scope held = system.TableLocks.Enter(request.Table);
        var entry = Pte.Read(request.Slot);
        if (entry != request.Entry)
        {
            return false;
        }

        Vma vma = request.Vma;
        bool isExclusive = (entry.Value & Pte.SwapExclusive) != 0;
        Rmap.AddSwappedIn(folio, vma, request.Page, isExclusive);
        request.Mm.Counters.Add(CounterKind.Anonymous, 1);
        request.Mm.Counters.Add(CounterKind.Swap, -1);
        _ = system.Swap.RemoveReference(slot);
        ulong flags = vma.PageRights & ~Pte.Writable;
        bool isProtected = entry.IsWriteProtected && vma.Has(VmaFlags.UserfaultfdWriteProtect);
        if (system.Swap.ReferencesOf(slot) == 0)
        {
            // No entry needs the copy in swap any more. Linux keeps it beside a page that is only read, which so counts as clean, and lets go of it before a
            // write, and in locked memory (should_try_to_free_swap).
            system.Swap.RemoveFromCache(folio);
            system.Pool.Put(folio);
            flags |= request.IsWrite || vma.Has(VmaFlags.Locked) ? Pte.Dirty : 0;
        }

        if (isExclusive)
        {
            if (request.IsWrite && vma.Has(VmaFlags.Write) && !isProtected)
            {
                flags |= Pte.Writable | Pte.Dirty;
            }
        }

        var fresh = Pte.ForFrame(folio.Number, flags);
        Pte.Write(request.Slot, isProtected ? fresh.WithWriteProtection() : fresh);
        return true;
    }
}
