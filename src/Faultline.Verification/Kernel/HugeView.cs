using System;
using System.Collections.Generic;

namespace Faultline.Verification.Kernel;

/// <summary>What one engine shows of the huge area: read only while a program uses it, because it is 24 times as large as the arena.</summary>
internal sealed class HugeView
{
    private const int MaximumRegions = 256;
    private const PageCategories Shown =
        PageCategories.WriteProtectAllowed | PageCategories.Written | PageCategories.File | PageCategories.Present | PageCategories.Swapped
        | PageCategories.ZeroPage | PageCategories.Huge | PageCategories.Guard;

    // Whether there is a page table shows in absent pages, and each engine has its own mind about empty tables.
    private const PageCategories There = PageCategories.Present | PageCategories.Swapped | PageCategories.Guard;

    /// <summary>Pages of each huge page whose contents are compared; programs store to these.</summary>
    public static ReadOnlySpan<int> Samples => [0, 1, 2, 17, 255, 256, 510, 511];

    /// <summary>The entries, for each address space.</summary>
    public PagemapEntry[][] Entries { get; } = [new PagemapEntry[Arena.HugePages], new PagemapEntry[Arena.HugePages]];

    /// <summary>What PAGEMAP_SCAN shows, for each address space: it alone tells what is mapped huge.</summary>
    public List<PageRegion>[] Regions { get; } = [[], []];

    /// <summary>A number for the bytes of each sampled page, for each address space.</summary>
    public ulong[][] Contents { get; } = [new ulong[Arena.HugeSlots * 8], new ulong[Arena.HugeSlots * 8]];

    /// <summary>
    /// Whether a step would make the kernel split a huge page that may be mapped in parts by now. It then maps those of its pages that hold only zeroes to the
    /// zero page; the managed engine, which splits a page at once when it is mapped in parts, does not. Of a file's huge page it makes large pages of several
    /// sizes, and maps those along whole (docs/divergences.md).
    /// </summary>
    public bool Splits(in Step step)
    {
        const int Odd = Arena.HugePage - 1;
        if (step.Verb == StepVerb.Advise && (Advice)step.Mode == Advice.Remove && Arena.IsHuge(step.Page))
        {
            return (step.Page & Odd) != 0 || (step.Pages & Odd) != 0;
        }

        bool isAdvice = step.Verb == StepVerb.Advise && (Advice)step.Mode is Advice.Cold or Advice.Free or Advice.PageOut;

        // A length that is no whole number of pages is rounded up; it may be shorter than the pages, too.
        int pages = step.Pages + ((step.Tail + (int)PageSize.Small - 1) >> PageSize.SmallShift);
        return (isAdvice && !IsSafe(step.Space, step.Page, pages))
            || (step.Verb == StepVerb.Move && (!IsMovable(step.Page, pages) || !IsMovable(step.Other, pages)));
    }

    /// <summary>Whether the program's address space has a poison marker.</summary>
    public bool HasPoison => Array.Exists(Entries[0], static entry => Coverage.StateOf(entry) == EntryState.Poison);

    /// <summary>Reads entries and categories.</summary>
    public void Look(EngineSide side)
    {
        Span<PageRegion> regions = new PageRegion[MaximumRegions];
        PagemapScanRequest request = new() { Range = Arena.HugeRange, Return = Shown };
        for (int space = 0; space < Arena.Spaces; space++)
        {
            Regions[space].Clear();
            if (side.Spaces[space] is { } present)
            {
                present.Inspector.ReadPagemap(Arena.HugeRange.Start, Entries[space]);
                PagemapScanResult result = present.Inspector.Scan(in request, regions);
                foreach (PageRegion region in regions[..(result.IsOk ? result.Count : 0)])
                {
                    if ((region.Categories & There) != PageCategories.None)
                    {
                        Regions[space].Add(region);
                    }
                }
            }
            else
            {
                Array.Clear(Entries[space]);
            }
        }
    }

    // MOVE splits at once what it finds mapped huge, and the managed engine does the same with it.
    private bool IsMovable(int page, int pages)
    {
        var range = new AddressRange(Arena.At(page), (ulong)pages * PageSize.Small);
        foreach (PageRegion region in Regions[0])
        {
            if (region.Range.Start < range.End && range.Start < region.Range.End && (region.Categories & PageCategories.Huge) == 0)
            {
                return false;
            }
        }

        return true;
    }

    // Nothing of the range is there, or only what is mapped by huge entries that lie in it.
    private bool IsSafe(int space, int page, int pages)
    {
        var range = new AddressRange(Arena.At(page), (ulong)pages * PageSize.Small);
        foreach (PageRegion region in Regions[space])
        {
            bool overlaps = region.Range.Start < range.End && range.Start < region.Range.End;
            bool isWhole = (region.Categories & PageCategories.Huge) != 0
                && range.Start.AlignDown(PageSize.Huge) == range.Start && range.End.AlignDown(PageSize.Huge) == range.End;
            if (overlaps && !isWhole)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads the sampled pages that are present.</summary>
    public void LookClosely(EngineSide side)
    {
        Span<byte> page = stackalloc byte[(int)PageSize.Small];
        for (int space = 0; space < Arena.Spaces; space++)
        {
            for (int i = 0; i < Contents[space].Length; i++)
            {
                int index = ((i / Samples.Length) * Arena.HugePage) + Samples[i % Samples.Length];
                Contents[space][i] = 0;
                if (side.Spaces[space] is not null && Entries[space][index].IsPresent)
                {
                    AccessResult read = side.Access(-1, space, AccessMode.User)!.Read(Arena.At(Arena.HugeFirst + index), page);
                    Contents[space][i] = read.IsOk ? Pattern.Hash(page) | 2 : 1 + ((ulong)read.Fault << 8);
                }
            }
        }
    }
}
