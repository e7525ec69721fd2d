using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>The end of an address space (Linux: <c>exit_mmap</c>): nobody uses it any more. No events are sent.</summary>
internal static class Exit
{
    public static void TearDown(MmState mm)
    {
        using (RankedSharedLock.WriteScope held = mm.Lock.EnterWrite())
        {
            mm.Shootdown.Close();
            var gather = TlbGather.Begin(mm);
            for (Vma? vma = mm.Vmas.FindFrom(0); vma is not null; vma = mm.Vmas.Next(vma))
            {
                Zap.Range(gather, vma, vma.Start, vma.End, ZapOptions.PrivateCopies | ZapOptions.DropMarkers);
            }

            gather.End();
            while (mm.Vmas.FindFrom(0) is { } vma)
            {
                VmaMerge.Unlink(vma);
            }

            mm.Table.FreeAll();
        }

        SwapIo.DropOrphans(mm.System);
    }
}
