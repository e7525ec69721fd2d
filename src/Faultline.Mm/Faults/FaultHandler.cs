using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// The one switch every fault goes through (Linux: <c>handle_mm_fault</c>, <c>handle_pte_fault</c>): mapping, rights, then what the entry is. A fault that
/// waits for a userfaultfd starts again from here.
/// </summary>
internal static class FaultHandler
{
    /// <summary>Handles a fault to its end, waiting as often as it needs. No lock may be held.</summary>
    /// <returns>Neither <see cref="FaultResult.Retry"/> nor <see cref="FaultResult.Wait"/>.</returns>
    public static FaultResult Handle(MmState mm, ulong address, bool isWrite, AccessMode mode, FaultWaiter waiter)
    {
        int retries = 0;
        while (true)
        {
            // The memory is in use while we look at it, and not while we sleep: a killed process must be able to end.
            if (mm.IsKilled || !mm.TryUse())
            {
                return FaultResult.Killed;
            }

            var request = new FaultRequest { Mm = mm, Address = address, IsWrite = isWrite, Mode = mode, Waiter = waiter };
            UserfaultfdContext? context = null;
            FaultResult result;
            using (RankedSharedLock.ReadScope held = mm.Lock.EnterRead())
            {
                result = HandleLocked(ref request);
                if (result == FaultResult.Wait)
                {
                    // Queued with the mapping's context; the mapping may be gone when we are out of the lock, the context is not.
                    context = (UserfaultfdContext)request.Vma.Userfaultfd!;
                }
            }

            mm.LeaveUse();
            if (context is not null)
            {
                context.Sleep(waiter, mode);
                retries = 0;
            }
            else if (result != FaultResult.Retry)
            {
                return result;
            }
            else if (++retries > 1)
            {
                // Not once more without anybody else having done something: what we wait for is a context that is being closed, or a page that is locked.
                Seam.Yield();
            }
        }
    }

    private static FaultResult HandleLocked(ref FaultRequest request)
    {
        if (request.Mm.Vmas.Find(request.Address) is not { } vma)
        {
            return FaultResult.NotMapped;
        }

        // x86: whatever may be accessed at all may be read.
        if (!vma.Has(request.IsWrite ? VmaFlags.Write : VmaFlags.Access))
        {
            return FaultResult.Protection;
        }

        request.Vma = vma;
        if (vma.IsHugetlb)
        {
            return HugetlbFault.Handle(ref request);
        }

        if (HugeFault.TryHandle(ref request, out FaultResult huge))
        {
            return huge;
        }

        request.Table = request.Mm.Table.Ensure(request.Address);
        if (request.Table.IsNull)
        {
            // No memory, unless a huge entry has come where there was nothing.
            return request.Mm.Table.HasHugeEntry(request.Address) ? FaultResult.Retry : FaultResult.OutOfMemory;
        }

        return ByEntry(ref request);
    }

    private static unsafe FaultResult ByEntry(ref FaultRequest request)
    {
        var entry = Pte.Read(request.Slot);
        request.Entry = entry;
        if (entry.IsNone)
        {
            return Absent(ref request);
        }

        if (entry.IsMarker)
        {
            return OnMarker(ref request);
        }

        if (!entry.IsPresent)
        {
            return SwapFault.Handle(ref request);
        }

        if (request.IsWrite && !entry.IsWritable)
        {
            return CopyOnWriteFault.Handle(ref request);
        }

        // Nothing is missing: another thread was faster. The access sets the bits itself.
        return FaultResult.Done;
    }

    private static unsafe FaultResult OnMarker(ref FaultRequest request)
    {
        PteMarker marker = request.Entry.Marker;
        if ((marker & PteMarker.Poison) != 0)
        {
            return FaultResult.Poisoned;
        }

        if ((marker & PteMarker.Guard) != 0)
        {
            return FaultResult.NotMapped;
        }

        if (request.Vma.Has(VmaFlags.UserfaultfdWriteProtect))
        {
            return Absent(ref request);
        }

        // Left over from a registration that is no more (Linux: pte_marker_clear).
        using RankedLock.Scope held = request.System.TableLocks.Enter(request.Table);
        if (Pte.Read(request.Slot) == request.Entry)
        {
            Pte.Write(request.Slot, Pte.None);
        }

        return FaultResult.Retry;
    }

    private static FaultResult Absent(ref FaultRequest request) =>
        request.Vma.IsAnonymous ? AnonymousFault.Handle(ref request) : FileFault.Handle(ref request);
}
