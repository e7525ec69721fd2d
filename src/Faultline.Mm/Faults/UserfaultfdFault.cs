using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Turning a fault into a message (Linux: <c>handle_userfault</c>). Under the mmap lock for reading; the sleep comes after it.</summary>
internal static unsafe class UserfaultfdFault
{
    /// <summary>Whether the mapping reports faults of a kind.</summary>
    public static bool IsArmed(Vma vma, VmaFlags mode) => vma.Has(mode);

    /// <summary>Queues the fault with the mapping's context.</summary>
    /// <returns>Wait; or Retry (resolved meanwhile, or the context is being closed); or what refuses it.</returns>
    public static FaultResult Handle(ref FaultRequest request, PageFaultKind kind)
    {
        var context = (UserfaultfdContext)request.Vma.Userfaultfd!;
        if (request.Mm.IsKilled)
        {
            return FaultResult.Killed;
        }

        if ((context.Features & UserfaultfdFeatures.SigBus) != 0)
        {
            return FaultResult.BusError;
        }

        // Whoever only looks cannot wait (Linux: a fault without FAULT_FLAG_ALLOW_RETRY, as access_remote_vm has them).
        if (request.Mode == AccessMode.Peek || (request.Mode == AccessMode.Kernel && (context.Options & UserfaultfdOptions.UserModeOnly) != 0))
        {
            return FaultResult.BusError;
        }

        FaultWaiter waiter = request.Waiter;
        waiter.Address = (context.Features & UserfaultfdFeatures.ExactAddress) != 0 ? request.Address : request.Page;
        waiter.Flags = FlagsOf(kind, request.IsWrite);
        if (!context.TryEnqueue(waiter))
        {
            return FaultResult.Retry;
        }

        // A fill that came between our look and the queue has woken nobody: look again now that we can be woken.
        bool mustWait = MustWait(ref request, kind);
        if (FillSteps.Of(request.System)?.Sleeps(mustWait) ?? mustWait)
        {
            return FaultResult.Wait;
        }

        context.Withdraw(waiter);
        return FaultResult.Retry;
    }

    private static PageFaultFlags FlagsOf(PageFaultKind kind, bool isWrite)
    {
        PageFaultFlags flags = isWrite ? PageFaultFlags.Write : PageFaultFlags.None;
        return kind switch
        {
            PageFaultKind.WriteProtect => flags | PageFaultFlags.WriteProtect,
            PageFaultKind.Minor => flags | PageFaultFlags.Minor,
            _ => flags,
        };
    }

    /// <summary>Whether the entry still needs somebody (Linux: <c>userfaultfd_must_wait</c>).</summary>
    private static bool MustWait(ref FaultRequest request, PageFaultKind kind)
    {
        Pte entry = ReadSettled(ref request);
        if (entry.IsNoneMostly)
        {
            // Poisoned meanwhile: nobody comes to wake us once more. Linux 6.18 sleeps here, and can sleep for ever (see docs/divergences.md).
            return (entry.Marker & (PteMarker.Poison | PteMarker.Guard)) == 0;
        }

        // The write bit means something in a present entry only: a page that went to swap meanwhile is faulted in again.
        return kind == PageFaultKind.WriteProtect && entry.IsPresent && !entry.IsWritable;
    }

    /// <summary>
    /// The entry, looked at under its lock: whoever changes an entry takes it away for a moment, and a fault that saw that moment, and went to sleep on it,
    /// would be woken by nobody. Linux checks under the lock before it reports a missing page of anonymous memory.
    /// </summary>
    private static Pte ReadSettled(ref FaultRequest request)
    {
        PageTable tables = request.Mm.Table;
        PteTable middle = tables.FindMiddle(request.Address);
        if (middle.IsNull)
        {
            return Pte.None;
        }

        using (RankedLock.Scope held = request.System.TableLocks.Enter(middle))
        {
            var entry = Pte.Read(middle.MiddleEntryFor(request.Address));
            if (entry.IsNone)
            {
                return Pte.None;
            }
        }

        EntryPlace place = tables.FindEntry(request.Address);
        if (place.IsNull)
        {
            return Pte.None;
        }

        using RankedLock.Scope settled = request.System.TableLocks.Enter(place.Table);
        return place.ReadLocked();
    }
}
