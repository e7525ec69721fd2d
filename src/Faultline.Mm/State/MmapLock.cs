using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// The lock of one address space's mappings (Linux: <c>mmap_lock</c>): fills share it, calls that change mappings have it alone. Faults hold their
/// mapping instead where they can, see <see cref="VmaLocks"/>.
/// </summary>
internal sealed class MmapLock
{
    private readonly VmaLocks _mappings;
    private readonly RankedSharedLock _lock;

    public MmapLock(VmaLocks mappings)
    {
        _mappings = mappings;
        _lock = new RankedSharedLock(LockRank.MmMap, mappings.EndWrite);
    }

    public RankedSharedLock.ReadScope EnterRead() => _lock.EnterRead();

    /// <summary>Keeps out everybody, faults too.</summary>
    public RankedSharedLock.WriteScope EnterWrite()
    {
        RankedSharedLock.WriteScope held = _lock.EnterWrite();
        _mappings.ExcludeAll();
        return held;
    }

    /// <summary>Faults go on beside the caller, who write-locks each mapping before it changes it.</summary>
    public RankedSharedLock.WriteScope EnterWriteBesideFaults() => _lock.EnterWrite();
}
