using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// The locks of single mappings: a fault holds the mapping it is in, and not the mmap lock, so that calls that change other mappings do not stop it
/// (Linux: per-VMA locks, <c>vma_start_read</c>, <c>vma_start_write</c>).
/// </summary>
/// <remarks>
/// Who changes a mapping has the mmap lock for writing and write-locks the mapping; all mappings are unlocked when the mmap lock is let go, by raising
/// the sequence. Calls that were not taught to say which mappings they change keep out every fault instead (<see cref="ExcludeAll"/>).
/// </remarks>
internal sealed class VmaLocks
{
    private readonly ReaderSlots _readers = new(LockRank.MmVma);

    /// <summary>A mapping whose own sequence is this one is write-locked (Linux: <c>mm_lock_seq</c>). Guard for changes: mmap lock for writing.</summary>
    private long _sequence = 1;

    private int _excludesAll;

    public long Sequence => Volatile.Read(ref _sequence);

    /// <summary>A slot for an accessor; it takes its faults with it.</summary>
    public ReaderSlot AddReader() => _readers.Add();

    public void RemoveReader(ReaderSlot slot) => _readers.Remove(slot);

    /// <summary>Holds the mapping at an address, if nobody is changing it (Linux: <c>lock_vma_under_rcu</c>).</summary>
    /// <param name="mappings">The address space's mappings; the tree is looked at without a lock.</param>
    /// <param name="slot">The reader's slot.</param>
    /// <param name="address">The address.</param>
    /// <param name="vma">The mapping.</param>
    /// <returns>The proof; without <see cref="Scope.IsHeld"/> the caller takes the mmap lock.</returns>
    public Scope TryStartRead(VmaTree mappings, ReaderSlot slot, ulong address, out Vma vma)
    {
        vma = null!;
        if (mappings.Find(address) is not { } found)
        {
            return default;
        }

        _readers.Hold(slot, found);
        Seam.Touch(this, TouchKind.Read);

        // The borders last: they are of one moment only when the mapping is held and not locked.
        bool isReadable = Volatile.Read(ref _excludesAll) == 0
            && found.LockSequence != Sequence
            && !found.IsDetached
            && address >= found.Start
            && address < found.End;
        if (!isReadable)
        {
            _readers.LetGo(slot);
            return default;
        }

        vma = found;
        return new Scope(_readers, slot);
    }

    /// <summary>Keeps faults out of a mapping until the mmap lock is let go. Under the mmap lock for writing.</summary>
    public void StartWrite(Vma vma)
    {
        if (IsWriteLocked(vma))
        {
            return;
        }

        Seam.Touch(this, TouchKind.Write);
        vma.LockSequence = Sequence;
        Interlocked.MemoryBarrier();
        _readers.WaitFor(vma);
    }

    /// <summary>As <see cref="StartWrite"/>, for the mappings in a range and those that touch it: they may be cut and merged.</summary>
    public void StartWriteAround(VmaTree mappings, ulong start, ulong end)
    {
        for (Vma? vma = mappings.FindFrom(start == 0 ? 0 : start - 1); vma is not null && vma.Start <= end; vma = mappings.Next(vma))
        {
            StartWrite(vma);
        }
    }

    /// <summary>Keeps out all faults until the mmap lock is let go. Under the mmap lock for writing.</summary>
    public void ExcludeAll()
    {
        Seam.Touch(this, TouchKind.Write);
        Volatile.Write(ref _excludesAll, 1);
        Interlocked.MemoryBarrier();
        _readers.WaitForAll();
    }

    /// <summary>Whether faults are kept out of a mapping.</summary>
    public bool IsWriteLocked(Vma vma) => Volatile.Read(ref _excludesAll) != 0 || vma.LockSequence == Sequence;

    /// <summary>Lets faults in again, everywhere: the mmap lock is about to be let go.</summary>
    public void EndWrite()
    {
        Seam.Touch(this, TouchKind.Write);
        Volatile.Write(ref _sequence, _sequence + 1);
        Volatile.Write(ref _excludesAll, 0);
    }

    /// <summary>The proof that a mapping is held.</summary>
    public ref struct Scope
    {
        private readonly ReaderSlot? _slot;
        private ReaderSlots? _readers;

        public Scope(ReaderSlots readers, ReaderSlot slot)
        {
            _readers = readers;
            _slot = slot;
        }

        public readonly bool IsHeld => _readers is not null;

        public void Dispose()
        {
            _readers?.LetGo(_slot!);
            _readers = null;
        }
    }
}
