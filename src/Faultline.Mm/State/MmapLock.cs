using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>The lock of one address space's mappings (Linux: <c>mmap_lock</c>): faults and fills share it, calls that change mappings have it alone.</summary>
internal sealed class MmapLock
{
    private readonly RankedSharedLock _lock = new(LockRank.MmMap);

    public RankedSharedLock.ReadScope EnterRead() => _lock.EnterRead();

    public RankedSharedLock.WriteScope EnterWrite() => _lock.EnterWrite();
}
