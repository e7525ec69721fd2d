using System;
using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// Taking away tables of small entries where the page cache has a huge page now, so that the next fault maps that (Linux: <c>retract_page_tables</c>).
/// </summary>
internal static unsafe class RetractTables
{
    /// <summary>Does so in every address space that maps the file there. No lock is held; the caller has a reference to the file.</summary>
    public static void Everywhere(ShmemFile file, ulong index)
    {
        foreach (MmState mm in UsersOf(file, index))
        {
            using (RankedSharedLock.WriteScope held = mm.Lock.EnterWrite())
            {
                for (Vma? vma = mm.Vmas.FindFrom(0); vma is not null; vma = mm.Vmas.Next(vma))
                {
                    // A private mapping that was written to, or prepared for that, keeps its table, empty or not. So does one that has had guards.
                    if (vma.File == file && vma.Covers(index) && vma.AnonVma is null && !vma.MayHaveGuards)
                    {
                        _ = TryRetract(vma, vma.AddressOf(index));
                    }
                }
            }

            mm.LeaveUse();
        }
    }

    /// <summary>
    /// Takes the small entries for a huge page of a file away, and their table. Under the mmap lock for writing; there are no private copies among them.
    /// </summary>
    /// <returns>Whether the place is empty now. Poison stays, and the table with it.</returns>
    private static bool TryRetract(Vma vma, ulong start)
    {
        // Where pages are write-protected one by one, they stay small.
        if ((start & (PageSize.Huge - 1)) != 0 || !HugeRange.Fits(vma, start) || vma.Has(VmaFlags.UserfaultfdWriteProtect))
        {
            return false;
        }

        MmState mm = vma.Mm;
        PteTable table = mm.Table.Find(start);
        if (table.IsNull)
        {
            return !mm.Table.HasHugeEntry(start);
        }

        Zap.Range(vma, start, start + PageSize.Huge, ZapOptions.KeepZeroPages);
        return TryTakeEmpty(vma, table, start);
    }

    /// <summary>
    /// As <see cref="TryRetract"/>, if there is nothing in the table but entries for the huge page itself: else they all stay (Linux:
    /// <c>collapse_pte_mapped_thp</c>).
    /// </summary>
    public static bool TryRetractPieces(Vma vma, ulong start)
    {
        PteTable table = vma.Mm.Table.Find(start);
        return (table.IsNull || HasPiecesOnly(vma, table, start)) && TryRetract(vma, start);
    }

    private static bool HasPiecesOnly(Vma vma, PteTable table, ulong start)
    {
        CacheEntry first = ((ShmemFile)vma.File!).Cache.Find(vma.IndexOf(start));
        using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(table);
        for (uint i = 0; i < PteTable.Length; i++)
        {
            var entry = Pte.Read(table.Entries + i);
            if (!entry.IsNone && !(entry.IsPresent && !entry.IsSpecial && first.IsFolio && entry.FrameNumber == first.FrameNumber + i))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Frees the tables in a range that were left empty: what is touched there next may get a huge page again (Linux:
    /// <c>try_to_free_pte</c>, since 6.14). No lock is held.
    /// </summary>
    public static void EmptyIn(MmState mm, ulong start, ulong end)
    {
        ulong first = HugeRange.StartOf(start + PageSize.Huge - 1);
        ulong last = HugeRange.StartOf(end);
        if (first >= last || first < start || !HasEmpty(mm, first, last))
        {
            return;
        }

        using RankedSharedLock.WriteScope held = mm.Lock.EnterWrite();
        for (ulong at = mm.Table.SkipAbsent(first, last); at < last; at = mm.Table.SkipAbsent(at + PageSize.Huge, last))
        {
            PteTable table = mm.Table.Find(at);
            if (!table.IsNull && mm.Vmas.Find(at) is { IsHugetlb: false } vma && at + PageSize.Huge <= vma.End && vma.Start <= at)
            {
                _ = TryTakeEmpty(vma, table, at);
            }
        }
    }

    private static bool HasEmpty(MmState mm, ulong first, ulong last)
    {
        using RankedSharedLock.ReadScope held = mm.Lock.EnterRead();
        for (ulong at = mm.Table.SkipAbsent(first, last); at < last; at = mm.Table.SkipAbsent(at + PageSize.Huge, last))
        {
            PteTable table = mm.Table.Find(at);
            if (!table.IsNull && IsEmpty(table))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsEmpty(PteTable table) => !new ReadOnlySpan<ulong>(table.Entries, PteTable.Length).ContainsAnyExcept(0UL);

    /// <summary>Takes a table away if it is empty. Under the mmap lock for writing, with faults kept out.</summary>
    private static bool TryTakeEmpty(Vma vma, PteTable table, ulong start)
    {
        MmState mm = vma.Mm;

        // Who walks the file's mappings, or those of its private copies, looks at tables without the mmap lock.
        using RankedLock.Scope fileLock = vma.File is { } file ? file.Mappings.Enter() : default;
        using RankedLock.Scope anonymousLock = vma.AnonVma is { } anonVma ? anonVma.Enter() : default;
        if (!IsEmpty(table))
        {
            return false;
        }

        Pte.Take(mm.Table.FindMiddle(start).MiddleEntryFor(start));
        mm.Shootdown.Flush();
        mm.Table.FreeSpare(table.Number);
        return true;
    }

    /// <summary>The address spaces that map a page of the file, each kept in use.</summary>
    private static List<MmState> UsersOf(ShmemFile file, ulong index)
    {
        var users = new List<MmState>();
        using RankedLock.Scope held = file.Mappings.Enter();
        foreach (Vma vma in file.Mappings.ListLocked(in held))
        {
            if (vma.Covers(index) && !users.Contains(vma.Mm) && vma.Mm.TryUse())
            {
                users.Add(vma.Mm);
            }
        }

        return users;
    }
}
