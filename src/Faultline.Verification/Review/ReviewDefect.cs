using System;
using System.Collections.Generic;
using Faultline.Mm;

namespace Faultline.Verification.Review;

/// <summary>One defect of the review, as another decision or step of the managed engine.</summary>
/// <param name="Id">D1 to D13.</param>
/// <param name="Title">The mistake, in a few words.</param>
/// <param name="Mistake">What the defective code does.</param>
/// <param name="Rule">What it should do.</param>
/// <param name="Base">The rule it departs from. Where 6.18 has changed the rule, only that of 2021 can show it.</param>
/// <param name="Steps">Makes the wrong steps.</param>
internal sealed record ReviewDefect(string Id, string Title, string Mistake, string Rule, InstallRuleVersion Base, Func<FillSteps> Steps)
{
    private const ulong WriteBits = Pte.Writable | Pte.WriteProtected;

    /// <summary>The defects in the order of their numbers.</summary>
    public static IReadOnlyList<ReviewDefect> All { get; } =
    [
        new(
            "D1",
            "read-only by the kind of mapping",
            "The entry is made read-only wherever the mapping is neither anonymous nor shared. That also hits a new private page in a private mapping of a file (case 2).",
            "Read-only only if the page is in the cache and the mapping private (R4): a new page is the mapping's own, and may be written at once.",
            InstallRuleVersion.Linux618,
            static () => new WrongDecision(static (vma, _, right) =>
                !vma.IsAnonymous && !vma.IsShared ? right with { EntryFlags = right.EntryFlags & ~Pte.Writable } : right)),
        new(
            "D2",
            "dirty by the kind of mapping",
            "The entry is dirty if it is writable or the mapping anonymous. A read-only case 2 page holds data that exists nowhere else, and is clean.",
            "Dirty if writable, or if the page is not in the cache (R5). Reclaim may take the data of a clean page for granted.",
            InstallRuleVersion.Review2021,
            static () => new WrongDecision(static (vma, _, right) =>
                !vma.IsAnonymous && (right.EntryFlags & WriteBits) == 0 ? right with { EntryFlags = right.EntryFlags & ~Pte.Dirty } : right)),
        new(
            "D3",
            "the counter before rmap",
            "The resident set is counted before rmap. The kind is read off the page, and a new page is not anonymous until rmap has made it so.",
            "First rmap, then the counter (R8). Counted as another kind, the page is later taken off a counter it was never added to.",
            InstallRuleVersion.Linux618,
            static () => new ReorderedInstall(InstallOrder.CounterBeforeRmap)),
        new(
            "D4",
            "rmap by the kind of mapping",
            "Every page in a mapping of shmem gets file rmap, the new private page of case 2 too.",
            "File rmap if the page is in the cache, new anonymous rmap if not (R9): nobody would find the page again to swap it out.",
            InstallRuleVersion.Linux618,
            static () => new WrongDecision(static (vma, _, right) => right with { AsAnonymous = right.AsAnonymous && vma.IsAnonymous })),
        new(
            "D5",
            "a page dirtied for nothing",
            "CONTINUE in a shared mapping that is read-only marks the page itself dirty.",
            "The page's own flag is not touched (R7): nothing was written, and what is clean need not be written out.",
            InstallRuleVersion.Linux618,
            static () => new WrongDecision(static (vma, install, right) =>
                right with { MarkFolioDirty = right.MarkFolioDirty || (!install.IsNewlyAllocated && vma.IsShared && (install.Vma & VmaFlags.Write) == 0) })),
        new(
            "D6",
            "two look-ups that disagree",
            "CONTINUE refuses a fallocated page that is not up to date, although the fault path has reported a minor fault for it.",
            "Both see a page (R14, the rule of 5.19 and later): else the handler is told of a page that it cannot map, for ever.",
            InstallRuleVersion.Linux618,
            static () => new WrongLookUp(LookUpMistake.RefusesPagesNotUpToDate)),
        new(
            "D7",
            "the look-up that allocates",
            "CONTINUE on a hole makes a page of zeroes and succeeds.",
            "A hole is EFAULT, and nothing is allocated (R13): a handler that forgot to bring the page must hear of it.",
            InstallRuleVersion.Linux618,
            static () => new WrongLookUp(LookUpMistake.Allocates)),
        new(
            "D8",
            "a swap entry taken for a page",
            "What the page cache holds is taken for a page. After the page was swapped out it is the number of a slot.",
            "A swap entry is looked at as one, and CONTINUE swaps the page in (R15).",
            InstallRuleVersion.Linux618,
            static () => new WrongLookUp(LookUpMistake.TakesSwapEntries)),
        new(
            "D9",
            "the dirty mark of case 5 lost",
            "COPY into a shared mapping no longer marks its page dirty after the common installer took over. Read-only, the entry is not dirty either.",
            "Case 5 marks its page (2021), or every entry is dirty (5.16 and later): the data came from the handler and exists nowhere else.",
            InstallRuleVersion.Review2021,
            static () => new WrongDecision(static (_, _, right) => right with { MarkFolioDirty = false })),
        new(
            "D10",
            "the kept page leaks",
            "COPY keeps its page while it fetches the source without locks. If the block cannot be charged again afterwards, the page is not given back.",
            "The kept page goes with the error (R20).",
            InstallRuleVersion.Linux618,
            static () => new ForgottenGiveBack(ForgottenThing.KeptPage)),
        new(
            "D11",
            "a block that stays charged",
            "COPY into a shared mapping charges a block, finds the place taken, and leaves with EEXIST without giving the block back.",
            "Any error after the charge gives the block back (R16).",
            InstallRuleVersion.Linux618,
            static () => new ForgottenGiveBack(ForgottenThing.Block)),
        new(
            "D12",
            "the size compared too early",
            "The size of the file is compared before the lock of the page table is taken.",
            "Under the lock (R8): truncation lowers the size first and takes the entries away afterwards, and only under the lock can an entry not slip in between.",
            InstallRuleVersion.Linux618,
            static () => new ReorderedInstall(InstallOrder.SizeBeforeLock)),
        new(
            "D13",
            "a shared read-only entry marked dirty",
            "CONTINUE in a shared read-only mapping marks the entry dirty.",
            "In 2021: not dirty, since nothing was written (R5). Linux has marked every entry dirty since 5.16, so this is held against the rule of 2021 alone.",
            InstallRuleVersion.Review2021,
            static () => new WrongDecision(static (vma, install, right) =>
                install.IsInCache && !install.IsNewlyAllocated && vma.IsShared && (install.Vma & VmaFlags.Write) == 0
                    ? right with { EntryFlags = right.EntryFlags | Pte.Dirty }
                    : right)),
    ];

    /// <summary>Whether two threads are needed to see it.</summary>
    public bool IsRace => Id == "D12";
}
