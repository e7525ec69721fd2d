using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// Splitting, merging, linking and unlinking of mappings (Linux: <c>mm/vma.c</c>). Under the mmap lock for writing. Tree, rmap lists and the
/// borders of the mapping change together here, and nowhere else.
/// </summary>
internal static class VmaMerge
{
    /// <summary>Puts a new mapping into the tree and its file's list.</summary>
    public static void Link(Vma vma)
    {
        vma.Mm.Vmas.Insert(vma);
        if (vma.File is { } file)
        {
            file.OpenMapping(vma);
            file.Mappings.Add(vma);
        }
    }

    /// <summary>Takes a mapping out of the tree and every list. Its entries are gone.</summary>
    public static void Unlink(Vma vma)
    {
        vma.Mm.Vmas.Remove(vma);
        UnlinkRmap(vma);
    }

    /// <summary>Takes a mapping that is out of the tree already off the rmap lists.</summary>
    public static void UnlinkRmap(Vma vma)
    {
        vma.IsDetached = true;
        AnonVmaChain.Unlink(vma);
        if (vma.File is { } file)
        {
            file.Mappings.Remove(vma);
            file.CloseMapping(vma);
        }
    }

    /// <summary>Cuts a mapping in two (Linux: <c>split_vma</c>).</summary>
    /// <returns>The upper part, or null if there would be too many mappings.</returns>
    public static Vma? Split(Vma vma, ulong at)
    {
        if (vma.Mm.Vmas.Count >= vma.Mm.System.MappingLimit)
        {
            return null;
        }

        HugeEntry.SplitAt(vma, at);
        var upper = new Vma(vma.Mm, at, vma.End, vma.Flags, vma.IndexOf(at), vma.File);
        upper.SetUserfaultfd(vma.Userfaultfd, vma.Flags & VmaFlags.Userfaultfd);
        AnonVmaChain.Clone(upper, vma);
        upper.AnonVma = vma.AnonVma;
        upper.MayHaveGuards = vma.MayHaveGuards;
        upper.HugetlbReservation = vma.HugetlbReservation;
        upper.HasLostPages = vma.HasLostPages;

        // Both are listed while the borders change: a page in the upper part is always found in one of them.
        if (vma.File is { } file)
        {
            file.OpenMapping(upper);
            file.Mappings.Add(upper);
        }

        SetBounds(vma, vma.Start, at);
        vma.Mm.Vmas.Insert(upper);
        return upper;
    }

    /// <summary>Moves the end of a mapping, where nothing else is.</summary>
    public static void SetEnd(Vma vma, ulong end) => SetBounds(vma, vma.Start, end);

    /// <summary>Merges a mapping with its neighbours where they are alike and continue each other (Linux: <c>vma_merge</c>).</summary>
    /// <returns>The mapping that now covers what <paramref name="vma"/> did.</returns>
    public static Vma MergeWithNeighbours(Vma vma)
    {
        Vma? previous = vma.Mm.Vmas.FindBefore(vma.Start);
        if (previous is not null && CanMerge(previous, vma))
        {
            Absorb(previous, vma);
            vma = previous;
        }

        MergeWithNext(vma);
        return vma;
    }

    /// <summary>Merges a mapping that has grown with the one it has reached (Linux: <c>vma_merge_extend</c>).</summary>
    public static void MergeWithNext(Vma vma)
    {
        Vma? next = vma.Mm.Vmas.FindFrom(vma.End);
        if (next is not null && CanMerge(vma, next))
        {
            Absorb(vma, next);
        }
    }

    /// <summary>Whether nothing but their borders and anonymous filing keeps two mappings apart.</summary>
    public static bool AreAlike(Vma lower, Vma upper) =>
        lower.End == upper.Start
        && lower.Flags == upper.Flags
        && lower.File == upper.File
        && lower.Userfaultfd == upper.Userfaultfd
        && lower.IndexOf(lower.End) == upper.PageOffset;

    /// <summary>Whether two mappings would be alike once mprotect gave them the same rights (Linux: <c>anon_vma_compatible</c>).</summary>
    public static bool CouldBeAlike(Vma lower, Vma upper) =>
        lower.End == upper.Start
        && ((lower.Flags ^ upper.Flags) & ~VmaFlags.Access) == 0
        && lower.File == upper.File
        && lower.IndexOf(lower.End) == upper.PageOffset;

    private static bool CanMerge(Vma lower, Vma upper)
    {
        // Hugetlb mappings stay as they were made or cut (Linux: VM_DONTEXPAND is one of VM_SPECIAL).
        if (!AreAlike(lower, upper) || lower.IsHugetlb)
        {
            return false;
        }

        if (lower.AnonVma is null || upper.AnonVma is null)
        {
            // The one that has pages must not be a fork's child: its pages may be filed in places the other does not know.
            return (lower.AnonVma is null || lower.Chain.Count == 1) && (upper.AnonVma is null || upper.Chain.Count == 1);
        }

        return lower.AnonVma == upper.AnonVma && lower.Chain.Count == upper.Chain.Count;
    }

    private static void Absorb(Vma lower, Vma upper)
    {
        AnonVmaChain.Clone(lower, upper);
        lower.AnonVma ??= upper.AnonVma;
        lower.MayHaveGuards |= upper.MayHaveGuards;
        ulong end = upper.End;

        // The survivor covers the pages before the other stops covering them.
        lower.Mm.Vmas.Remove(upper);
        SetBounds(lower, lower.Start, end);
        UnlinkRmap(upper);
    }

    private static void SetBounds(Vma vma, ulong start, ulong end)
    {
        vma.Mm.Vmas.Remove(vma);
        ulong pageOffset = vma.PageOffset + ((start - vma.Start) >> PageSize.SmallShift);
        if (vma.File is { } file)
        {
            using RankedLock.Scope fileLock = file.Mappings.Enter();
            using RankedLock.Scope anonymousLock = vma.AnonVma is { } anonVma ? anonVma.Enter() : default;
            vma.SetBounds(start, end, pageOffset);
        }
        else
        {
            using RankedLock.Scope anonymousLock = vma.AnonVma is { } anonVma ? anonVma.Enter() : default;
            vma.SetBounds(start, end, pageOffset);
        }

        vma.Mm.Vmas.Insert(vma);
    }
}
