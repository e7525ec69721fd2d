using Faultline.Mm;
using Faultline.Sync;

namespace Faultline.Verification.Review;

/// <summary>The install step of <see cref="PteInstall"/> with two of its parts in the wrong order.</summary>
internal sealed unsafe class ReorderedInstall(InstallOrder order, ReviewMarks? marks = null) : FillSteps
{
    public override Errno Install(
        PteInstallRule rule, Vma vma, ulong address, PteTable table, Frame* frame, bool isNewlyAllocated, bool writeProtect)
    {
        MmSystem system = vma.Mm.System;
        if (order == InstallOrder.SizeBeforeLock && IsBeyondEnd(vma, address))
        {
            return Errno.EFAULT;
        }

        marks?.Add(ReviewMarks.Handler, "compares the size of the file: the page is inside");
        using RankedLock.Scope held = system.TableLocks.Enter(table);
        marks?.Add(ReviewMarks.Handler, "takes the lock of the page table", ReviewMarks.TableLock, "held by the handler");
        if (order != InstallOrder.SizeBeforeLock && IsBeyondEnd(vma, address))
        {
            return Errno.EFAULT;
        }

        ulong* entry = table.EntryFor(address);
        if (!Pte.Read(entry).IsNoneMostly)
        {
            return Errno.EEXIST;
        }

        Folio folio = system.Memory.FolioAt(frame->Number);
        bool isInCache = folio.Record->Owner != 0;
        PteInstallDecision decision = rule.Decide(new PteInstallCase(vma.Flags, vma.PageRights, isInCache, isNewlyAllocated, writeProtect));
        CounterKind kind = order == InstallOrder.CounterBeforeRmap ? MmCounters.KindOf(folio) : decision.Counter;
        vma.Mm.Counters.Add(kind, 1);
        if (decision.AsAnonymous)
        {
            Rmap.AddNewAnonymous(folio, vma, address);
        }
        else
        {
            Rmap.AddFile(frame);
        }

        if (decision.AddToLru)
        {
            system.Pool.Lru.Add(folio);
        }

        Pte.Write(entry, Pte.ForFrame(frame->Number, decision.EntryFlags));
        if (decision.MarkFolioDirty)
        {
            folio.Set(FolioFlags.Dirty);
        }

        marks?.Add(ReviewMarks.Handler, "writes the entry", ReviewMarks.Entry, "present", isWrong: true);
        held.Dispose();
        marks?.Add(ReviewMarks.Handler, "lets the lock go", ReviewMarks.TableLock, string.Empty);
        return Errno.None;
    }

    private static bool IsBeyondEnd(Vma vma, ulong address) =>
        vma.File is { } file && vma.IndexOf(address) >= PageCount.FromBytes(file.Size).Value;
}
