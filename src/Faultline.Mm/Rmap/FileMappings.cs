using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>The mappings of one file, found by page index (Linux: <c>address_space.i_mmap</c>).</summary>
internal sealed class FileMappings
{
    private readonly RankedLock _lock = new(LockRank.MmFileMappings);

    /// <summary>Guard: <see cref="_lock"/>.</summary>
    private readonly List<Vma> _mappings = [];

    /// <summary>Shared mappings that may be made writable; negative while sealing forbids new ones. Guard: <see cref="_lock"/>.</summary>
    private int _writableShared;

    public RankedLock.Scope Enter() => _lock.Enter();

    public void Add(Vma vma)
    {
        using RankedLock.Scope held = _lock.Enter();
        _mappings.Add(vma);
        if (IsWritableShared(vma))
        {
            _writableShared++;
        }
    }

    public void Remove(Vma vma)
    {
        using RankedLock.Scope held = _lock.Enter();
        _mappings.Remove(vma);
        if (IsWritableShared(vma))
        {
            _writableShared--;
        }
    }

    /// <summary>Whether a shared mapping exists that is, or may be made, writable.</summary>
    public bool HasWritableSharedLocked(in RankedLock.Scope held) => held.IsHeld && _writableShared > 0;

    /// <summary>All mappings, in no order. Valid while the lock is held.</summary>
    public List<Vma> ListLocked(in RankedLock.Scope held) =>
        held.IsHeld ? _mappings : throw new System.InvalidOperationException("The file's mappings are walked under their lock.");

    private static bool IsWritableShared(Vma vma) => vma.IsShared && vma.Has(VmaFlags.MayWrite);
}
