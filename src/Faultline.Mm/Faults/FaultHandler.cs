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
            if (mm.IsKilled)
            {
                return FaultResult.Killed;
            }

            var request = new FaultRequest { Mm = mm, Address = address, IsWrite = isWrite, Mode = mode, Waiter = waiter };
            if (!TryUnderVmaLock(ref request, out FaultResult result, out UserfaultfdContext? context))
            {
                result = UnderMmapLock(ref request, out context);
            }

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

    /// <summary>
    /// Handles a fault of an accessor that finds its mapping unlocked, without the mmap lock (Linux: the first half of <c>do_user_addr_fault</c>). While
    /// the mapping is held it is not taken down, so the address space is in use without being counted.
    /// </summary>
    private static bool TryUnderVmaLock(ref FaultRequest request, out FaultResult result, out UserfaultfdContext? context)
    {
        result = default;
        context = null;
        if (request.Waiter.Slot is not { } slot)
        {
            return false;
        }

        MmState mm = request.Mm;
        using VmaLocks.Scope held = mm.VmaLocks.TryStartRead(mm.Vmas, slot, request.Address, out Vma vma);

        // The first anonymous page asks the neighbours, which only the mmap lock keeps as they are. Hugetlb has locks of its own order.
        if (!held.IsHeld || vma.IsHugetlb || (!vma.IsShared && vma.AnonVma is null))
        {
            return false;
        }

        result = HandleIn(ref request, vma);
        context = ContextOf(ref request, result);
        return true;
    }

    private static FaultResult UnderMmapLock(ref FaultRequest request, out UserfaultfdContext? context)
    {
        // The memory is in use while we look at it, and not while we sleep: a killed process must be able to end.
        MmState mm = request.Mm;
        context = null;
        if (!mm.TryUse())
        {
            return FaultResult.Killed;
        }

        FaultResult result;
        using (RankedSharedLock.ReadScope held = mm.Lock.EnterRead())
        {
            result = mm.Vmas.Find(request.Address) is { } vma ? HandleIn(ref request, vma) : FaultResult.NotMapped;
            context = ContextOf(ref request, result);
        }

        mm.LeaveUse();
        return result;
    }

    /// <summary>Where a fault that must wait is queued. The mapping may be gone when we are out of the lock, the context is not.</summary>
    private static UserfaultfdContext? ContextOf(ref FaultRequest request, FaultResult result) =>
        result == FaultResult.Wait ? (UserfaultfdContext)request.Vma.Userfaultfd! : null;

    private static FaultResult HandleIn(ref FaultRequest request, Vma vma)
    {
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
