using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Making one huge page of the small ones of private memory (Linux: <c>collapse_huge_page</c>).</summary>
internal static unsafe class CollapseAnonymous
{
    /// <summary>How often pages are brought back from swap before the attempt is given up: reclaim may take them away again.</summary>
    private const int Rounds = 4;

    /// <summary>Collapses an aligned range. No lock is held.</summary>
    public static CollapseResult Run(MmState mm, ulong start, in CollapseLimits limits)
    {
        CollapseResult result = Look(mm, start, in limits);
        if (result != CollapseResult.Done)
        {
            return result;
        }

        MmSystem system = mm.System;
        Folio folio = system.Pool.Allocate(system.Group, PhysicalMemory.HugeOrder);
        if (folio.IsNull)
        {
            bool isOver = system.Group.ChargedPages + PteTable.Length > system.Group.LimitPages;
            return isOver ? CollapseResult.OverLimit : CollapseResult.NoMemory;
        }

        result = CollapseResult.Busy;
        for (int round = 0; round < Rounds && result == CollapseResult.Busy; round++)
        {
            result = BringBack(mm, start, in limits);
            if (result == CollapseResult.Done)
            {
                result = Replace(mm, start, folio, in limits);
            }
        }

        if (result != CollapseResult.Done)
        {
            system.Pool.Put(folio);
        }

        return result;
    }

    private static CollapseResult Look(MmState mm, ulong start, in CollapseLimits limits)
    {
        using RankedSharedLock.ReadScope held = mm.Lock.EnterRead();
        return CollapseScan.FindMapping(mm, start) is { IsAnonymous: true } vma
            ? CollapseScan.Check(vma, start, in limits, out _)
            : CollapseResult.Unsuitable;
    }

    /// <summary>Brings the pages back that are swapped out (Linux: <c>__collapse_huge_page_swapin</c>).</summary>
    private static CollapseResult BringBack(MmState mm, ulong start, in CollapseLimits limits)
    {
        using RankedSharedLock.ReadScope held = mm.Lock.EnterRead();
        if (CollapseScan.FindMapping(mm, start) is not { IsAnonymous: true } vma)
        {
            return CollapseResult.Unsuitable;
        }

        CollapseResult result = CollapseScan.Check(vma, start, in limits, out int swapped);
        if (result != CollapseResult.Done || swapped == 0)
        {
            return result;
        }

        PteTable table = mm.Table.Find(start);
        for (ulong address = start; address < start + PageSize.Huge; address += PageSize.Small)
        {
            var entry = Pte.Read(table.EntryFor(address));
            if (entry.IsMarker)
            {
                // Poison, or a guard.
                return CollapseResult.Unsuitable;
            }

            if (!entry.IsSwapSlot)
            {
                continue;
            }

            var request = new FaultRequest
            {
                Mm = mm,
                Address = address,
                IsWrite = false,
                Mode = AccessMode.Kernel,
                Waiter = FaultWaiter.OfThread,
                Vma = vma,
                Table = table,
                Entry = entry,
            };
            FaultResult fault = SwapFault.Handle(ref request);
            if (fault is not (FaultResult.Done or FaultResult.Retry))
            {
                return fault == FaultResult.OutOfMemory ? CollapseResult.NoMemory : CollapseResult.Unsuitable;
            }
        }

        return CollapseResult.Done;
    }

    /// <summary>Puts the huge page in the place of the small ones; with the mappings, and rmap, at a standstill.</summary>
    private static CollapseResult Replace(MmState mm, ulong start, Folio folio, in CollapseLimits limits)
    {
        using RankedSharedLock.WriteScope mapLock = mm.Lock.EnterWrite();
        if (CollapseScan.FindMapping(mm, start) is not { IsAnonymous: true } vma)
        {
            return CollapseResult.Unsuitable;
        }

        if (mm.HasHandedOutSpans)
        {
            // The pages may not move under those who look at their bytes.
            return CollapseResult.Busy;
        }

        using RankedLock.Scope rmapLock = vma.AnonVma!.Enter();
        CollapseResult result = CollapseScan.Check(vma, start, in limits, out int swapped);
        if (result != CollapseResult.Done || swapped != 0)
        {
            return result != CollapseResult.Done ? result : CollapseResult.Busy;
        }

        PteTable middle = mm.Table.FindMiddle(start);
        PteTable table = mm.Table.Find(start);
        ulong* slot = middle.MiddleEntryFor(start);
        using (RankedLock.Scope held = mm.System.TableLocks.Enter(middle))
        {
            Pte.Write(slot, Pte.Busy);
        }

        // From here on no access gets at the small pages.
        mm.Shootdown.Flush();
        folio.Set(FolioFlags.UpToDate);
        MoveContents(mm, table, folio);
        Rmap.AddNewAnonymousHuge(folio, vma, start);
        mm.System.Pool.Lru.Add(folio);
        mm.Counters.Add(CounterKind.Anonymous, folio.FrameCount);
        using (RankedLock.Scope held = mm.System.TableLocks.Enter(middle))
        {
            mm.Table.Deposit(middle, table.Number);
            Pte.Write(slot, NewAnonymousEntry.EntryFor(vma, folio, isWriteProtected: false).With(Pte.HugePage));
        }

        return CollapseResult.Done;
    }

    /// <summary>Copies the small pages, and lets them go (Linux: <c>__collapse_huge_page_copy</c>). The table is empty afterwards.</summary>
    private static void MoveContents(MmState mm, PteTable table, Folio folio)
    {
        MmSystem system = mm.System;
        byte* target = system.Pool.BytesOf(folio);
        int present = 0;
        for (int i = 0; i < PteTable.Length; i++, target += PageSize.Small)
        {
            var entry = Pte.Take(table.Entries + i);
            if (entry.IsNone || entry.IsSpecial)
            {
                NativeMemory.Clear(target, (nuint)PageSize.Small);
                continue;
            }

            Unsafe.CopyBlock(target, system.Memory.BytesAt(entry.FrameNumber), (uint)PageSize.Small);
            Rmap.Remove(system.Memory.FrameAt(entry.FrameNumber));
            system.Pool.Put(system.Memory.FolioAt(entry.FrameNumber));
            present++;
        }

        mm.Counters.Add(CounterKind.Anonymous, -present);
    }
}
