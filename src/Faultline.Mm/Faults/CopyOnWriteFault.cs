using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>A write to a page that is there, but may not be written as it is (Linux: <c>do_wp_page</c>).</summary>
internal static unsafe class CopyOnWriteFault
{
    public static FaultResult Handle(ref FaultRequest request)
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

        if (vma.IsShared)
        {
            return MakeWritable(ref request);
        }

        if (!request.Entry.IsSpecial)
        {
            Folio folio = request.System.Memory.FolioAt(request.Entry.FrameNumber);
            if (folio.IsAnonymous)
            {
                return ReuseOrCopy(ref request);
            }
        }

        return Copy(ref request);
    }

    private static bool TryUnprotect(ref FaultRequest request)
    {
        using RankedLock.Scope held = request.System.TableLocks.Enter(request.Table);
        var entry = Pte.Read(request.Slot);
        if (!entry.IsPresent || !entry.IsWriteProtected || entry.FrameNumber != request.Entry.FrameNumber)
        {
            return false;
        }

        request.Entry = Pte.Change(request.Slot, set: 0, clear: Pte.WriteProtected).Without(Pte.WriteProtected);
        return true;
    }

    /// <summary>The page may be written: it only was not writable yet (Linux: <c>wp_page_reuse</c>).</summary>
    private static FaultResult MakeWritable(ref FaultRequest request)
    {
        using RankedLock.Scope held = request.System.TableLocks.Enter(request.Table);
        if (!TryMakeWritableLocked(ref request))
        {
            return FaultResult.Retry;
        }

        // Linux: fault_dirty_shared_page.
        request.System.Memory.FolioAt(request.Entry.FrameNumber).Set(FolioFlags.Dirty);
        return FaultResult.Done;
    }

    private static bool TryMakeWritableLocked(ref FaultRequest request)
    {
        if (!IsUnchanged(ref request))
        {
            return false;
        }

        // A protection bit that an earlier registration has left behind ends here: protected and writable would say two things.
        Pte.Change(request.Slot, set: Pte.Writable | Pte.Dirty | Pte.Accessed, clear: Pte.WriteProtected);
        return true;
    }

    /// <summary>The same page, still not writable and in the same state of protection; only the accessed bit may have come.</summary>
    private static bool IsUnchanged(ref FaultRequest request) =>
        Pte.Read(request.Slot).With(Pte.Accessed) == request.Entry.With(Pte.Accessed);

    private static FaultResult ReuseOrCopy(ref FaultRequest request)
    {
        using (RankedLock.Scope held = request.System.TableLocks.Enter(request.Table))
        {
            if (!IsUnchanged(ref request))
            {
                return FaultResult.Retry;
            }

            Folio folio = request.System.Memory.FolioAt(request.Entry.FrameNumber);
            if (folio.Has(FolioFlags.Exclusive) || CanReuse(folio))
            {
                folio.Set(FolioFlags.Exclusive);
                return TryMakeWritableLocked(ref request) ? FaultResult.Done : FaultResult.Retry;
            }
        }

        return Copy(ref request);
    }

    /// <summary>
    /// Whether our entry is all that refers to the page (Linux: <c>wp_can_reuse_anon_folio</c>). Under the table's lock that cannot
    /// change: others get at the page through an entry, or the swap cache.
    /// </summary>
    private static bool CanReuse(Folio folio) => folio.RefCount == 1 && !folio.Has(FolioFlags.SwapCache);

    /// <summary>A copy for this mapping alone (Linux: <c>wp_page_copy</c>).</summary>
    private static FaultResult Copy(ref FaultRequest request)
    {
        MmSystem system = request.System;
        AnonVmaChain.Prepare(request.Vma);
        Folio copy = system.Pool.Allocate(system.Group);
        if (copy.IsNull)
        {
            return FaultResult.OutOfMemory;
        }

        if (!TryCopyBytes(ref request, copy))
        {
            system.Pool.Put(copy);
            return FaultResult.Retry;
        }

        copy.Set(FolioFlags.UpToDate);
        return Replace(ref request, copy);
    }

    private static bool TryCopyBytes(ref FaultRequest request, Folio copy)
    {
        MmSystem system = request.System;
        if (request.Entry.IsSpecial)
        {
            NativeMemory.Clear(system.Pool.BytesOf(copy), (nuint)PageSize.Small);
            return true;
        }

        Folio source;
        using (RankedLock.Scope held = system.TableLocks.Enter(request.Table))
        {
            if (!IsUnchanged(ref request))
            {
                return false;
            }

            source = system.Memory.FolioAt(request.Entry.FrameNumber);
            if (source.Order != 0)
            {
                // A reference would not keep this page of it through a split; the entry does, while it cannot change.
                Unsafe.CopyBlock(system.Pool.BytesOf(copy), system.Memory.BytesAt(request.Entry.FrameNumber), (uint)PageSize.Small);
                return true;
            }

            source.Get();
        }

        Unsafe.CopyBlock(system.Pool.BytesOf(copy), system.Memory.BytesAt(request.Entry.FrameNumber), (uint)PageSize.Small);
        system.Pool.Put(source);
        return true;
    }

    private static FaultResult Replace(ref FaultRequest request, Folio copy)
    {
        MmSystem system = request.System;
        MmState mm = request.Mm;
        Folio old = default;
        using (RankedLock.Scope held = system.TableLocks.Enter(request.Table))
        {
            if (!IsUnchanged(ref request))
            {
                system.Pool.Put(copy);
                return FaultResult.Retry;
            }

            var taken = Pte.Take(request.Slot);

            // Loads through the old entry must be over before anybody can see a store through the new one.
            mm.Shootdown.Flush(request.Page, PageSize.Small);
            if (!taken.IsSpecial)
            {
                old = system.Memory.FolioAt(taken.FrameNumber);
                mm.Counters.Add(MmCounters.KindOf(old), -1);
                Rmap.Remove(system.Memory.FrameAt(taken.FrameNumber));
            }

            Rmap.AddNewAnonymous(copy, request.Vma, request.Page);
            system.Pool.Lru.Add(copy);
            mm.Counters.Add(CounterKind.Anonymous, 1);
            Pte.Write(request.Slot, NewAnonymousEntry.EntryFor(request.Vma, copy, isWriteProtected: false));
        }

        if (!old.IsNull)
        {
            system.Pool.Put(old);
        }

        return FaultResult.Done;
    }
}
