using System.Threading;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>The part of <see cref="ChangeProtection"/> for huge entries (Linux: <c>change_huge_pmd</c>).</summary>
internal static unsafe class HugeProtection
{
    /// <summary>
    /// Changes a huge entry in place if the range is all of it; otherwise splits it. Files are write-protected page by page only, as their markers
    /// are.
    /// </summary>
    /// <returns>Whether the range is done. Otherwise there is a table, or nothing, in it now: look again.</returns>
    public static bool TryRange(TlbGather gather, Vma vma, ulong start, ulong end, ProtectionChange change)
    {
        if (end - start != PageSize.Huge || (change == ProtectionChange.WriteProtect && !vma.IsAnonymous))
        {
            HugeEntry.Split(vma, start);
            return false;
        }

        EntryPlace place = vma.Mm.Table.FindEntry(start);
        if (!place.IsHuge)
        {
            return false;
        }

        using RankedLock.Scope held = vma.Mm.System.TableLocks.Enter(place.Table);
        Pte entry = place.ReadLocked();
        if (!entry.IsPresent)
        {
            return false;
        }

        // Exchanged in one step: a table could come where there is nothing, if only for a moment.
        Pte changed = ChangeProtection.Changed(vma, entry, change);
        while (Interlocked.CompareExchange(ref *place.Slot, changed.Value, entry.Value) != entry.Value)
        {
            entry = Pte.Read(place.Slot);
            changed = ChangeProtection.Changed(vma, entry, change);
        }

        ChangeProtection.TouchIfLess(gather, entry, changed);
        return true;
    }
}
