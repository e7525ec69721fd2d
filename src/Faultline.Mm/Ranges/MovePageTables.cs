using System;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Moving entries from one mapping to another of the same address space (Linux: <c>move_page_tables</c>).</summary>
/// <remarks>Under the mmap lock for writing. Rmap finds a page in either place: its locks are held while entries travel.</remarks>
internal static unsafe class MovePageTables
{
    /// <returns>The bytes moved: fewer than asked for if a table could not be had.</returns>
    public static ulong Move(Vma source, ulong from, Vma target, ulong to, ulong length)
    {
        if (source.IsHugetlb)
        {
            return HugetlbMove.Move(source, from, target, to, length);
        }

        PageTable tables = source.Mm.Table;
        var gather = TlbGather.Begin(source.Mm);
        ulong done = 0;
        while (done < length)
        {
            ulong next = tables.SkipAbsent(from + done, from + length);
            done = next - from;
            if (done >= length)
            {
                break;
            }

            ulong step = Math.Min(length - done, Math.Min(ToTableEnd(from + done), ToTableEnd(to + done)));
            if (tables.HasHugeEntry(from + done))
            {
                if (!HugeMove.TryRemap(gather, source, from + done, target, to + done, step))
                {
                    HugeEntry.Split(source, from + done);
                    continue;
                }

                done += step;
                continue;
            }

            PteTable sourceTable = tables.Find(from + done);
            if (!sourceTable.IsNull && !TryMoveWholeTable(gather, source, from + done, target, to + done, step))
            {
                PteTable targetTable = tables.Ensure(to + done);
                if (targetTable.IsNull)
                {
                    break;
                }

                MoveTable(gather, source, from + done, sourceTable, to + done, targetTable, step);
            }

            done += step;
        }

        gather.End();
        return Math.Min(done, length);
    }

    private static ulong ToTableEnd(ulong address) => PageSize.Huge - (address & (PageSize.Huge - 1));

    /// <summary>
    /// Moves a table with all it has, empty or not, if all of it is to go to a place that has none (Linux: <c>move_normal_pmd</c>). Where it was, a huge page
    /// may come next.
    /// </summary>
    private static bool TryMoveWholeTable(TlbGather gather, Vma source, ulong from, Vma target, ulong to, ulong length)
    {
        if (length != PageSize.Huge || !KeepsProtection(source) || !KeepsProtection(target))
        {
            return false;
        }

        PageTable tables = source.Mm.Table;
        PteTable targetMiddle = tables.EnsureMiddle(to);
        if (targetMiddle.IsNull)
        {
            return false;
        }

        PteTable sourceMiddle = tables.FindMiddle(from);
        using RankedLock.Scope fileLock = source.File is { } file ? file.Mappings.Enter() : default;
        using RankedLock.Scope anonymousLock = source.AnonVma is { } anonVma ? anonVma.Enter() : default;
        source.Mm.System.TableLocks.EnterPair(sourceMiddle, targetMiddle, out RankedLock.Scope first, out RankedLock.Scope second);
        ulong* slot = targetMiddle.MiddleEntryFor(to);
        bool isMoved = PageTable.IsTable(Pte.Read(sourceMiddle.MiddleEntryFor(from))) && Pte.Read(slot).IsNone;
        if (isMoved)
        {
            var table = Pte.Take(sourceMiddle.MiddleEntryFor(from));

            // Whoever is walking it by the old address is out of it before there is a new one.
            gather.Touch();
            gather.Flush();
            Pte.Write(slot, table);
        }

        second.Dispose();
        first.Dispose();
        return isMoved;
    }

    /// <summary>Whether the entries of a mapping stay protected when it moves: its new place is watched, too, or it never was.</summary>
    private static bool KeepsProtection(Vma vma) =>
        vma.Userfaultfd is not { } context || (context.Features & UserfaultfdFeatures.EventRemap) != 0;

    private static void MoveTable(
        TlbGather gather, Vma source, ulong from, PteTable sourceTable, ulong to, PteTable targetTable, ulong length)
    {
        using RankedLock.Scope fileLock = source.File is { } file ? file.Mappings.Enter() : default;
        using RankedLock.Scope anonymousLock = source.AnonVma is { } anonVma ? anonVma.Enter() : default;
        source.Mm.System.TableLocks.EnterPair(sourceTable, targetTable, out RankedLock.Scope first, out RankedLock.Scope second);
        bool keepsProtection = KeepsProtection(source);
        for (ulong offset = 0; offset < length; offset += PageSize.Small)
        {
            ulong* entry = sourceTable.EntryFor(from + offset);
            if (Pte.Read(entry).IsNone)
            {
                continue;
            }

            var pte = Pte.Take(entry);
            gather.Touch();
            if (!keepsProtection && pte.IsWriteProtected)
            {
                pte = pte.Marker == PteMarker.WriteProtect ? Pte.None : pte.WithoutWriteProtection();
            }

            Pte.Write(targetTable.EntryFor(to + offset), pte);
        }

        // Before the locks go: nobody may reach the pages by the old way while they can be changed by the new one.
        gather.Flush();
        second.Dispose();
        first.Dispose();
    }
}
