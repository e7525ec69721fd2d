using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>The entry of a fresh private page that a fault has made, for a write.</summary>
internal static unsafe class NewAnonymousEntry
{
    /// <summary>Installs the entry if nothing changed since the fault was looked at. It takes over the caller's reference.</summary>
    public static bool TryInstall(ref FaultRequest request, Folio folio)
    {
        MmSystem system = request.System;
        using RankedLock.Scope held = system.TableLocks.Enter(request.Table);
        if (Pte.Read(request.Slot) != request.Entry)
        {
            return false;
        }

        Rmap.AddNewAnonymous(folio, request.Vma, request.Page);
        system.Pool.Lru.Add(folio);
        request.Mm.Counters.Add(CounterKind.Anonymous, 1);
        Pte.Write(request.Slot, EntryFor(request.Vma, folio, request.Entry.IsWriteProtected));
        return true;
    }

    /// <summary>Dirty, and writable if the mapping is; where write-protection waited for the page, protected instead.</summary>
    public static Pte EntryFor(Vma vma, Folio folio, bool isWriteProtected)
    {
        ulong flags = (vma.PageRights & ~Pte.Writable) | Pte.Dirty;
        if (vma.Has(VmaFlags.Write))
        {
            flags |= Pte.Writable;
        }

        var entry = Pte.ForFrame(folio.Number, flags);
        return isWriteProtected ? entry.WithWriteProtection() : entry;
    }
}
