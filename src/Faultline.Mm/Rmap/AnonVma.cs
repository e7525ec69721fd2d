using System.Collections.Generic;
using Faultline.Sync;

namespace Faultline.Mm;

/// <summary>
/// Where the anonymous pages born in one mapping are filed: the list of all mappings that can hold them, through split and fork
/// (Linux: <c>anon_vma</c>). All those related by fork share the lock of their root.
/// </summary>
internal sealed class AnonVma
{
    private readonly AnonVma _root;
    private readonly RankedLock _lock;

    public AnonVma(OwnerTable owners, AnonVma? parent)
    {
        _root = parent?._root ?? this;
        _lock = parent is null ? new RankedLock(LockRank.MmAnonVma) : _root._lock;
        OwnerHandle = owners.Add(this);
    }

    /// <summary>The handle in <see cref="Frame.Owner"/> of pages born here.</summary>
    public ulong OwnerHandle { get; }

    /// <summary>The mappings that may hold pages born here. Guard: the lock.</summary>
    public List<Vma> Mappings { get; } = [];

    /// <summary>Whether its handle was given back: it lists nothing, and never will again. Guard: the lock.</summary>
    public bool IsRemoved { get; set; }

    /// <summary>The oldest ancestor: its list has every mapping a shared page can be in.</summary>
    public AnonVma Root => _root;

    public RankedLock.Scope Enter() => _lock.Enter();
}
