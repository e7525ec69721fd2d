using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Making a huge page of an aligned range, whatever is mapped there.</summary>
internal static class Collapse
{
    /// <summary>Collapses the 2 MiB at an address. No lock is held.</summary>
    /// <param name="mm">The address space.</param>
    /// <param name="start">The aligned start.</param>
    /// <param name="limits">What the huge page may be made of.</param>
    /// <param name="mapsIt">Whether a huge page of a file is to be mapped here at once, rather than by the next fault.</param>
    public static CollapseResult At(MmState mm, ulong start, in CollapseLimits limits, bool mapsIt)
    {
        ShmemFile? file;
        ulong index;
        using (RankedSharedLock.ReadScope held = mm.Lock.EnterRead())
        {
            if (CollapseScan.FindMapping(mm, start) is not { } vma)
            {
                return CollapseResult.Unsuitable;
            }

            file = vma.File as ShmemFile;
            index = vma.IndexOf(start);
            file?.AddReference();
        }

        if (file is null)
        {
            return CollapseAnonymous.Run(mm, start, in limits);
        }

        CollapseResult result = CollapseShmem.Run(file, index, in limits);
        if (result == CollapseResult.Done)
        {
            RetractTables.Everywhere(file, index);
        }

        if (!mapsIt && result == CollapseResult.AlreadyHuge)
        {
            // Made by way of another mapping; the next fault here is to find an empty place.
            Retract(mm, start, file);
        }

        if (mapsIt && result is CollapseResult.Done or CollapseResult.AlreadyHuge)
        {
            result = Map(mm, start, file);
        }

        file.RemoveReference();
        return result;
    }

    private static void Retract(MmState mm, ulong start, ShmemFile file)
    {
        using RankedSharedLock.WriteScope held = mm.Lock.EnterWrite();
        if (CollapseScan.FindMapping(mm, start) is { } vma && vma.File == file && !mm.Table.Find(start).IsNull)
        {
            _ = RetractTables.TryRetractPieces(vma, start);
        }
    }

    /// <summary>Maps the huge page of the cache in the place of the small entries (Linux: <c>collapse_pte_mapped_thp</c>).</summary>
    private static CollapseResult Map(MmState mm, ulong start, ShmemFile file)
    {
        using RankedSharedLock.WriteScope held = mm.Lock.EnterWrite();
        if (CollapseScan.FindMapping(mm, start) is not { } vma || vma.File != file)
        {
            return CollapseResult.Unsuitable;
        }

        if (mm.Table.HasHugeEntry(start))
        {
            return CollapseResult.AlreadyHuge;
        }

        if (vma.Has(VmaFlags.UserfaultfdWriteProtect))
        {
            return CollapseResult.WriteProtected;
        }

        return RetractTables.TryRetractPieces(vma, start) && HugeFileFault.TryMap(vma, start, isWrite: false)
            ? CollapseResult.Done
            : CollapseResult.Unsuitable;
    }
}
