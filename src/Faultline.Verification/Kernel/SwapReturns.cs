using System;
using System.Collections.Generic;

namespace Faultline.Verification.Kernel;

/// <summary>Watches for pages that come back from swap into memory that is locked, or registered for write-protection.</summary>
internal sealed class SwapReturns
{
    private readonly bool[][] _small = [new bool[Arena.Pages], new bool[Arena.Pages]];
    private bool[][]? _huge;

    /// <summary>Looks at the entries after a step.</summary>
    /// <param name="seen">What was seen.</param>
    /// <param name="isWide">Whether the program uses the area for huge pages.</param>
    /// <param name="mappings">The mappings of the first address space.</param>
    /// <returns>Whether a page has come back like that since the last look.</returns>
    public bool Look(SideObservation seen, bool isWide, IReadOnlyList<VmaInfo> mappings)
    {
        bool isAny = false;
        for (int space = 0; space < Arena.Spaces; space++)
        {
            isAny |= Look(seen.Pagemaps[space], _small[space], space, 0, mappings);
            if (isWide)
            {
                _huge ??= [new bool[Arena.HugePages], new bool[Arena.HugePages]];
                isAny |= Look(seen.HugeArea.Entries[space], _huge[space], space, Arena.HugeFirst, mappings);
            }
        }

        return isAny;
    }

    private static bool Look(ReadOnlySpan<PagemapEntry> entries, bool[] swapped, int space, int first, IReadOnlyList<VmaInfo> mappings)
    {
        bool isAny = false;
        for (int i = 0; i < entries.Length; i++)
        {
            isAny |= swapped[i] && entries[i].IsPresent && IsUnsettled(space, Arena.At(first + i), mappings);
            swapped[i] = entries[i].IsSwap && !ObservationComparison.IsMarker(entries[i]);
        }

        return isAny;
    }

    // The mappings of a fork are not at hand: it has those of its parent, more or less.
    private static bool IsUnsettled(int space, VirtualAddress page, IReadOnlyList<VmaInfo> mappings)
    {
        foreach (VmaInfo mapping in mappings)
        {
            if (ObservationComparison.MayBeBetween(mapping) && (space != 0 || mapping.Range.Contains(page)))
            {
                return true;
            }
        }

        return false;
    }
}
