namespace Faultline.Mm;

/// <summary>Faulting a range in for a call (Linux: <c>faultin_page_range</c>, <c>populate_vma_page_range</c>). No lock is held.</summary>
internal static class Populate
{
    /// <summary>Faults in each page that is not there, or not writable for a write.</summary>
    /// <param name="mm">The address space.</param>
    /// <param name="start">Page aligned.</param>
    /// <param name="end">Page aligned.</param>
    /// <param name="isWrite">Whether as a write.</param>
    /// <returns>What stopped it, or Done.</returns>
    public static FaultResult Range(MmState mm, ulong start, ulong end, bool isWrite) => Range(mm, start, end, isWrite, out _);

    /// <param name="mm">The address space.</param>
    /// <param name="start">Page aligned.</param>
    /// <param name="end">Page aligned.</param>
    /// <param name="isWrite">Whether as a write.</param>
    /// <param name="address">How far it came.</param>
    public static FaultResult Range(MmState mm, ulong start, ulong end, bool isWrite, out ulong address)
    {
        FaultWaiter waiter = FaultWaiter.OfThread;
        for (address = start; address < end; address += PageSize.Small)
        {
            while (!IsThere(mm, address, isWrite))
            {
                FaultResult result = FaultHandler.Handle(mm, address, isWrite, AccessMode.Kernel, waiter);
                if (result != FaultResult.Done)
                {
                    return result;
                }
            }
        }

        return FaultResult.Done;
    }

    /// <summary>Brings in a page behind write-protection, and leaves it protected: one fault, and none for the protection.</summary>
    public static void BringInProtected(MmState mm, ulong address)
    {
        // What is in swap comes back as it was; the write itself would be asked for.
        bool isWrite = !mm.Table.FindEntry(address).Read().IsSwapSlot;
        _ = FaultHandler.Handle(mm, address, isWrite, AccessMode.Kernel, FaultWaiter.OfThread);
    }

    /// <summary>Whether an access would find its page. Takes the mmap lock itself.</summary>
    public static bool IsThere(MmState mm, ulong address, bool isWrite)
    {
        using Sync.RankedSharedLock.ReadScope held = mm.Lock.EnterRead();
        EntryPlace place = mm.Table.FindEntry(address);
        Pte entry = place.Read();
        ulong needed = isWrite ? Pte.Present | Pte.Writable : Pte.Present;
        if ((entry.Value & needed) != needed)
        {
            return false;
        }

        if (isWrite && !entry.IsDirty)
        {
            // Nothing was stored, but a page that is brought in for writing counts as dirty (Linux: FOLL_TOUCH).
            mm.System.Memory.FolioAt(place.FrameOf(entry, address)).Set(FolioFlags.Dirty);
        }

        return true;
    }
}
