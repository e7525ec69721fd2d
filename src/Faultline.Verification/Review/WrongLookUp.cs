using Faultline.Mm;
using Faultline.Sync;

namespace Faultline.Verification.Review;

/// <summary>CONTINUE finds its page in another way.</summary>
internal sealed class WrongLookUp(LookUpMistake mistake) : FillSteps
{
    public override Errno LookUp(ShmemFile file, ulong index, out Folio folio, out RankedLock.Scope held)
    {
        switch (mistake)
        {
            case LookUpMistake.RefusesPagesNotUpToDate:
                Errno errno = file.GetFolio(index, ShmemLookup.Read, out folio, out held);
                return errno == Errno.None && folio.IsNull ? Errno.ENOENT : errno;
            case LookUpMistake.Allocates:
                return file.GetFolio(index, ShmemLookup.Cache, out folio, out held);
            default:
                return TakeWhatever(file, index, out folio, out held);
        }
    }

    /// <summary>A swap entry names a slot. Taken for a page, its number is that of a frame which has nothing to do with the file.</summary>
    private static Errno TakeWhatever(ShmemFile file, ulong index, out Folio folio, out RankedLock.Scope held)
    {
        CacheEntry entry = file.Cache.Find(index);
        if (!entry.IsSwap)
        {
            return file.GetFolio(index, ShmemLookup.NoAllocate, out folio, out held);
        }

        folio = file.System.Memory.FolioAt(entry.FrameNumber);
        folio.Get();
        held = file.System.FolioLocks.Enter(folio);
        return Errno.None;
    }
}
