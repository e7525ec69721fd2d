using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Faults where a huge entry is, or may come (Linux: the second-level part of <c>__handle_mm_fault</c>). Not for hugetlb.</summary>
internal static unsafe class HugeFault
{
    /// <summary>Handles the fault if it is one of a huge entry.</summary>
    /// <returns>Whether it is; otherwise it goes on with a table of small entries.</returns>
    public static bool TryHandle(ref FaultRequest request, out FaultResult result)
    {
        result = FaultResult.Retry;
        PteTable middle = request.Mm.Table.FindMiddle(request.Address);
        Pte entry = middle.IsNull ? Pte.None : Pte.Read(middle.MiddleEntryFor(request.Address));
        if (PageTable.IsTable(entry))
        {
            return false;
        }

        if (entry.IsNone)
        {
            // Whoever waits for a missing page where there may be a huge one leaves the place without a table, so that one can be moved there.
            if (request.Vma.IsAnonymous && UserfaultfdFault.IsArmed(request.Vma, VmaFlags.UserfaultfdMissing) && HugeAnonymousFault.IsWanted(ref request))
            {
                AnonVmaChain.Prepare(request.Vma);
                result = UserfaultfdFault.Handle(ref request, PageFaultKind.Missing);
                return true;
            }

            return request.Vma.IsAnonymous ? HugeAnonymousFault.TryInstall(ref request, out result) : HugeFileFault.TryMap(ref request, out result);
        }

        if (entry.IsPresent)
        {
            request.Entry = entry;
            result = !request.IsWrite || entry.IsWritable ? FaultResult.Done : OnReadOnly(ref request, middle);
        }

        return true;
    }

    /// <summary>A write to a huge page that may not be written as it is (Linux: <c>wp_huge_pmd</c>).</summary>
    private static FaultResult OnReadOnly(ref FaultRequest request, PteTable middle)
    {
        Vma vma = request.Vma;
        bool isArmed = vma.Has(VmaFlags.UserfaultfdWriteProtect);
        if (!vma.IsAnonymous)
        {
            return vma.IsShared && !isArmed ? MakeWritable(ref request, middle) : Split(ref request);
        }

        if (!request.Entry.IsWriteProtected || !isArmed)
        {
            // Nobody shares it, unless it is the zero page: fork has split what it shared.
            return request.Entry.IsSpecial ? HugeZeroFault.Replace(ref request, middle) : MakeWritable(ref request, middle);
        }

        // An asynchronous protection ends page by page.
        return vma.Userfaultfd!.IsWriteProtectAsync ? Split(ref request) : UserfaultfdFault.Handle(ref request, PageFaultKind.WriteProtect);
    }

    private static FaultResult Split(ref FaultRequest request)
    {
        HugeEntry.Split(request.Vma, request.Address);
        return FaultResult.Retry;
    }

    private static FaultResult MakeWritable(ref FaultRequest request, PteTable middle)
    {
        ulong* slot = middle.MiddleEntryFor(request.Address);
        using RankedLock.Scope held = request.System.TableLocks.Enter(middle);
        var entry = Pte.Read(slot);
        if (entry.With(Pte.Accessed) != request.Entry.With(Pte.Accessed))
        {
            return FaultResult.Retry;
        }

        // A protection bit that an earlier registration has left behind ends here: protected and writable would say two things.
        Pte.Change(slot, set: Pte.Writable | Pte.Dirty | Pte.Accessed, clear: Pte.WriteProtected);
        return FaultResult.Done;
    }
}
