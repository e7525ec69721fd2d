using System;
using System.Collections.Generic;
using System.Threading;
using Faultline.Sync;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>One address space: its mappings, its page table and its counters (Linux: <c>mm_struct</c>).</summary>
/// <remarks>
/// It has users, who may look at memory (Linux: <c>mm_users</c>): the address space itself, each accessor, each call under way. When the last one
/// leaves, the mappings go. A userfaultfd is not a user: it asks for a moment's use, and hears that there is nobody left.
/// </remarks>
internal sealed class MmState
{
    /// <summary>What <see cref="_users"/> is to a scheduler; the rest of this object is place zero.</summary>
    private const int UsersPlace = 1;

    private readonly RankedLock _bindingsLock = new(LockRank.MmOwners);

    /// <summary>The userfaultfds that are open for this address space. Guard: <see cref="_bindingsLock"/>.</summary>
    private readonly List<UserfaultfdBinding> _bindings = [];

    private int _users = 1;
    private int _isKilled;

    /// <summary>Threads between going to sleep in a userfault and being out of it. Guard: atomic.</summary>
    private int _sleepers;

    private MmState(MmSystem system, PageTable table)
    {
        System = system;
        Table = table;
        Lock = new MmapLock(VmaLocks);
        system.StateCreated();
    }

    public MmSystem System { get; }

    public PageTable Table { get; }

    public MmapLock Lock { get; }

    /// <summary>How faults hold their mapping without the mmap lock.</summary>
    public VmaLocks VmaLocks { get; } = new();

    /// <summary>Guard for changes: the mmap lock for writing.</summary>
    public VmaTree Vmas { get; } = new();

    public MmCounters Counters { get; } = new();

    public TlbShootdown Shootdown { get; } = new();

    /// <summary>Pages in locked mappings. Guard: mmap lock for writing.</summary>
    public ulong LockedPages { get; set; }

    /// <summary>Whether somebody may be looking at bytes of its frames directly: pages must then stay in their frames. Guard: mmap lock.</summary>
    public bool HasHandedOutSpans { get; set; }

    /// <summary>Whether its process was killed or has exited: whoever waits on its behalf gives up.</summary>
    public bool IsKilled
    {
        get
        {
            Seam.Touch(this, TouchKind.Read);
            return Volatile.Read(ref _isKilled) != 0;
        }
    }

    /// <summary>Makes an empty address space.</summary>
    /// <returns>Null if there is no memory for its root table.</returns>
    public static MmState? TryCreate(MmSystem system)
    {
        uint root = system.Pool.AllocateTable();
        return root == 0 ? null : new MmState(system, new PageTable(system.Pool, root));
    }

    /// <summary>Ends whatever waits on behalf of this address space.</summary>
    public void Kill()
    {
        // Its own use ends next: for a scheduler that is part of the same step.
        Seam.Touch(this, TouchKind.Write, UsersPlace);
        Seam.Touch(this, TouchKind.Write);
        Volatile.Write(ref _isKilled, 1);
        UserfaultfdBinding[] bindings;
        using (RankedLock.Scope held = _bindingsLock.Enter())
        {
            bindings = [.. _bindings];
        }

        foreach (UserfaultfdBinding binding in bindings)
        {
            binding.OnKilled();
        }
    }

    /// <summary>Threads that sleep in userfaults; exact while nobody is on the way in or out.</summary>
    public int Sleepers => Volatile.Read(ref _sleepers);

    public void EnterSleep() => Interlocked.Increment(ref _sleepers);

    public void LeaveSleep() => Interlocked.Decrement(ref _sleepers);

    /// <summary>The userfaultfds that are open for this address space; for checks.</summary>
    public UserfaultfdBinding[] ListBindings()
    {
        using RankedLock.Scope held = _bindingsLock.Enter();
        return [.. _bindings];
    }

    public void AddBinding(UserfaultfdBinding binding)
    {
        using RankedLock.Scope held = _bindingsLock.Enter();
        _bindings.Add(binding);
    }

    public void RemoveBinding(UserfaultfdBinding binding)
    {
        using RankedLock.Scope held = _bindingsLock.Enter();
        _bindings.Remove(binding);
    }

    /// <summary>Becomes a user for a while (Linux: <c>mmget_not_zero</c>).</summary>
    public bool TryUse()
    {
        Seam.Touch(this, TouchKind.Add, UsersPlace);
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

    /// <summary>Takes everything down when the last user leaves. Set once, by the layer that knows how.</summary>
    public Action<MmState>? TearDown { get; set; }

    /// <summary>Stops being a user; the last one takes the mappings down.</summary>
    public void LeaveUse()
    {
        Seam.Touch(this, TouchKind.Add, UsersPlace);
        if (Interlocked.Decrement(ref _users) == 0)
        {
            TearDown?.Invoke(this);
            System.StateGone();
        }
    }
}
