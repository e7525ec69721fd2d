using System;
using System.Runtime.CompilerServices;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>Reading an address space for a call (Linux: <c>copy_from_user</c>).</summary>
internal sealed unsafe class KernelCopy : ISourceMemory
{
    public static KernelCopy Instance { get; } = new();

    /// <remarks>Under the mmap lock for reading, which the caller holds for the target of its copy.</remarks>
    public bool TryCopy(MmState mm, ulong address, byte* target, int length) => CopyResident(mm, address, target, length) == length;

    public bool CopyWithFaults(MmState mm, ulong address, byte* target, int length)
    {
        int done = 0;
        while (done < length)
        {
            using (RankedSharedLock.ReadScope held = mm.Lock.EnterRead())
            {
                done += CopyResident(mm, address + (ulong)done, target + done, length - done);
            }

            if (done < length)
            {
                FaultResult fault = FaultHandler.Handle(mm, address + (ulong)done, isWrite: false, AccessMode.Kernel, FaultWaiter.OfThread);
                if (fault != FaultResult.Done)
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>Copies up to the first page that is not there.</summary>
    private static int CopyResident(MmState mm, ulong address, byte* target, int length)
    {
        int done = 0;
        while (done < length)
        {
            ulong at = address + (ulong)done;
            int count = Math.Min(length - done, (int)(PageSize.Small - (at & (PageSize.Small - 1))));
            if (!TryCopyInPage(mm, at, target + done, count))
            {
                break;
            }

            done += count;
        }

        return done;
    }

    private static bool TryCopyInPage(MmState mm, ulong address, byte* target, int length)
    {
        EntryPlace place = mm.Table.FindEntry(address);
        if (place.IsNull)
        {
            return false;
        }

        // Under the table's lock the entry stays, and with it the page.
        using RankedLock.Scope held = mm.System.TableLocks.Enter(place.Table);
        Pte entry = place.ReadLocked();
        if ((entry.Value & Pte.Present) == 0)
        {
            return false;
        }

        Pte.Change(place.Slot, set: Pte.Accessed, clear: 0);
        byte* source = mm.System.Memory.BytesAt(place.FrameOf(entry, address)) + (address & (PageSize.Small - 1));
        Unsafe.CopyBlockUnaligned(target, source, (uint)length);
        return true;
    }
}
