using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Moving entries of a hugetlb mapping within an address space (Linux: <c>move_hugetlb_page_tables</c>).</summary>
/// <remarks>Under the mmap lock for writing, and the lock of the file's mappings: a removal finds a page in either place.</remarks>
internal static unsafe class HugetlbMove
{
    /// <returns>The bytes moved: fewer than asked for if a table could not be had.</returns>
    public static ulong Move(Vma source, ulong from, Vma target, ulong to, ulong length)
    {
        PageTable tables = source.Mm.Table;
        using RankedLock.Scope fileLock = source.File!.Mappings.Enter();
        var gather = TlbGather.Begin(source.Mm);
        ulong done = 0;
        while ((done = tables.SkipAbsent(from + done, from + length) - from) < length)
        {
            PteTable targetTable = tables.EnsureMiddle(to + done);
            if (targetTable.IsNull)
            {
                break;
            }

            PteTable sourceTable = tables.FindMiddle(from + done);
            source.Mm.System.TableLocks.EnterPair(sourceTable, targetTable, out RankedLock.Scope first, out RankedLock.Scope second);
            var entry = Pte.Take(sourceTable.MiddleEntryFor(from + done));
            if (!target.Has(VmaFlags.UserfaultfdWriteProtect) && entry.IsWriteProtected)
            {
                entry = entry.IsPresent ? entry.WithoutWriteProtection() : Pte.None;
            }

            // Before the lock goes: nobody may reach the page by the old way while it can be changed by the new one.
            gather.Touch();
            gather.Flush();
            Pte.Write(targetTable.MiddleEntryFor(to + done), entry);
            second.Dispose();
            first.Dispose();
            done += PageSize.Huge;
        }

        gather.End();
        return done;
    }
}
