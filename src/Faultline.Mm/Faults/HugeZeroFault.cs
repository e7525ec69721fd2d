using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// The huge zero page: mapped by a read where a huge page is wanted, replaced by a write (Linux: <c>set_huge_zero_folio</c>,
/// <c>do_huge_zero_wp_pmd</c>).
/// </summary>
internal static unsafe class HugeZeroFault
{
    /// <summary>Maps it.</summary>
    /// <returns>Whether it tried; otherwise the fault goes on with a small page.</returns>
    public static bool TryMap(ref FaultRequest request, out FaultResult result)
    {
        result = FaultResult.Retry;
        PageTable tables = request.Mm.Table;
        HugeZeroFolio zero = request.System.HugeZero;
        PteTable middle = tables.EnsureMiddle(request.Address);
        uint spare = middle.IsNull ? 0 : tables.AllocateSpare();
        Folio folio = spare == 0 ? default : zero.TryGet();
        if (folio.IsNull)
        {
            if (spare != 0)
            {
                tables.FreeSpare(spare);
            }

            return false;
        }

        using (RankedLock.Scope held = request.System.TableLocks.Enter(middle))
        {
            ulong* slot = middle.MiddleEntryFor(request.Address);
            if (Interlocked.CompareExchange(ref *slot, Pte.Busy.Value, 0) == 0)
            {
                tables.Deposit(middle, spare);
                ulong rights = (request.Vma.PageRights & ~Pte.Writable) | Pte.Special | Pte.HugePage;
                Pte.Write(slot, Pte.ForFrame(folio.Number, rights));
                result = FaultResult.Done;
                return true;
            }
        }

        tables.FreeSpare(spare);
        zero.Put();
        return true;
    }

    /// <summary>Puts a huge page in its place for a write, or splits it if there is none to be had.</summary>
    public static FaultResult Replace(ref FaultRequest request, PteTable middle)
    {
        MmSystem system = request.System;
        Folio folio = system.Pool.TryAllocateHuge(system.Group);
        if (folio.IsNull)
        {
            HugeEntry.Split(request.Vma, request.Address);
            return FaultResult.Retry;
        }

        AnonVmaChain.Prepare(request.Vma);
        bool isReplaced;
        using (RankedLock.Scope held = system.TableLocks.Enter(middle))
        {
            ulong* slot = middle.MiddleEntryFor(request.Address);
            isReplaced = TryTakeLocked(request.Mm, slot, request.Entry);
            if (isReplaced)
            {
                Rmap.AddNewAnonymousHuge(folio, request.Vma, HugeRange.StartOf(request.Address));
                system.Pool.Lru.Add(folio);
                request.Mm.Counters.Add(CounterKind.Anonymous, folio.FrameCount);
                Pte.Write(slot, NewAnonymousEntry.EntryFor(request.Vma, folio, isWriteProtected: false).With(Pte.HugePage));
            }
        }

        if (!isReplaced)
        {
            system.Pool.Put(folio);
            return FaultResult.Retry;
        }

        system.HugeZero.Put();
        return FaultResult.Done;
    }

    /// <summary>Takes the entry out, to be busy; loads through it are over then, and nobody goes on reading zeroes.</summary>
    private static bool TryTakeLocked(MmState mm, ulong* slot, Pte seen)
    {
        var entry = Pte.Read(slot);
        if (entry.With(Pte.Accessed) != seen.With(Pte.Accessed)
            || Interlocked.CompareExchange(ref *slot, Pte.Busy.Value, entry.Value) != entry.Value)
        {
            return false;
        }

        mm.Shootdown.Flush();
        return true;
    }
}
