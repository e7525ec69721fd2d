using System.Threading;

namespace Faultline.Mm;

/// <summary>One address space: its mappings, its page table and its counters (Linux: <c>mm_struct</c>).</summary>
/// <remarks>
/// It has users, who may look at memory (Linux: <c>mm_users</c>): the address space itself, each accessor, each call under way. When the last one
/// leaves, the mappings go. A userfaultfd is not a user: it asks for a moment's use, and hears that there is nobody left.
/// </remarks>
internal sealed class MmState
{
    private int _users = 1;
    private int _isKilled;

    private MmState(MmSystem system, PageTable table)
    {
        System = system;
        Table = table;
    }

    public MmSystem System { get; }

    public PageTable Table { get; }

    public MmapLock Lock { get; } = new();

    /// <summary>Guard for changes: the mmap lock for writing.</summary>
    public VmaTree Vmas { get; } = new();

    public MmCounters Counters { get; } = new();

    public TlbShootdown Shootdown { get; } = new();

    /// <summary>Pages in locked mappings. Guard: mmap lock for writing.</summary>
    public ulong LockedPages { get; set; }

    /// <summary>Whether its process was killed or has exited: whoever waits on its behalf gives up.</summary>
    public bool IsKilled => Volatile.Read(ref _isKilled) != 0;

    /// <summary>Makes an empty address space.</summary>
    /// <returns>Null if there is no memory for its root table.</returns>
    public static MmState? TryCreate(MmSystem system)
    {
        uint root = system.Pool.AllocateTable();
        return root == 0 ? null : new MmState(system, new PageTable(system.Pool, root));
    }

    public void Kill() => Volatile.Write(ref _isKilled, 1);

    /// <summary>Becomes a user for a while (Linux: <c>mmget_not_zero</c>).</summary>
    public bool TryUse()
    {
        int seen = Volatile.Read(ref _users);
        while (seen > 0)
        {
            int found = Interlocked.CompareExchange(ref _users, seen + 1, seen);
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }

        return false;
    }

    /// <summary>Stops being a user.</summary>
    /// <returns>Whether that was the last: the caller then takes the mappings down (Verbs/Exit).</returns>
    public bool EndUse() => Interlocked.Decrement(ref _users) == 0;
}
