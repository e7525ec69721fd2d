using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// The only place where a fill turns an empty entry into a present one (Linux: <c>mfill_atomic_install_pte</c>). Installs
/// exactly one; ranges are loops over it.
/// </summary>
/// <remarks>
/// The five cases: 1, copy into private anonymous memory; 2, copy into a private mapping of shmem; 3, continue in a private mapping of shmem; 4, continue in a
/// shared one; 5, copy into a shared one. <see cref="PteInstallRule"/> decides, this applies, in this order: end of file, occupancy, rmap, counter, entry.
/// The end comes before occupancy because it is the graver answer, and under the table's lock because truncation lowers the size first and takes
/// the entries away afterwards. The counter comes after rmap because its kind is read off the page.
/// </remarks>
internal static unsafe class PteInstall
{
    /// <summary>Installs an entry for a page.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="vma">The mapping; for cases 1 and 2 prepared for anonymous pages.</param>
    /// <param name="address">The page's address.</param>
    /// <param name="table">The lowest-level table there.</param>
    /// <param name="frame">The frame: the page, or a part of a larger folio.</param>
    /// <param name="isNewlyAllocated">COPY and its kin, not CONTINUE.</param>
    /// <param name="writeProtect">Whether to write-protect.</param>
    /// <returns>EFAULT (beyond the end of the file), EEXIST. On success the entry has taken over one of the caller's references to the folio.</returns>
    public static Errno Apply(
        PteInstallRule rule, Vma vma, ulong address, PteTable table, Frame* frame, bool isNewlyAllocated, bool writeProtect)
    {
        if (FillSteps.Of(vma.Mm.System) is { } replaced)
        {
            return replaced.Install(rule, vma, address, table, frame, isNewlyAllocated, writeProtect);
        }

        using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table);
        return ApplyLocked(rule, vma, address, table, frame, isNewlyAllocated, writeProtect, in held);
    }

    /// <summary>As <see cref="Apply"/>, with the table's lock held.</summary>
    public static Errno ApplyLocked(
        PteInstallRule rule, Vma vma, ulong address, PteTable table, Frame* frame, bool isNewlyAllocated, bool writeProtect, in RankedLock.Scope held)
    {
        _ = held;
        if (vma.File is { } file && vma.IndexOf(address) >= PageCount.FromBytes(file.Size).Value)
        {
            return Errno.EFAULT;
        }

        ulong* entry = table.EntryFor(address);
        if (!Pte.Read(entry).IsNoneMostly)
        {
            return Errno.EEXIST;
        }

        MmSystem system = vma.Mm.System;
        Folio folio = system.Memory.FolioAt(frame->Number);
        bool isInCache = folio.Record->Owner != 0;
        PteInstallDecision decision = rule.Decide(new PteInstallCase(vma.Flags, vma.PageRights, isInCache, isNewlyAllocated, writeProtect));
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

        vma.Mm.Counters.Add(decision.Counter, 1);
        Pte.Write(entry, Pte.ForFrame(frame->Number, decision.EntryFlags));
        if (decision.MarkFolioDirty)
        {
            folio.Set(FolioFlags.Dirty);
        }

        return Errno.None;
    }
}
