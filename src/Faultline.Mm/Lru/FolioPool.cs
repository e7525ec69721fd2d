using System;
using System.Runtime.InteropServices;
using System.Threading;
using Faultline.Sync.Scheduling;

namespace Faultline.Mm;

/// <summary>
/// Where folios come from and where they go: allocation with its charge, and the end of the last reference (Linux: <c>folio_alloc</c>,
/// <c>mem_cgroup_charge</c>, <c>folio_put</c>).
/// </summary>
internal sealed unsafe class FolioPool
{
    /// <summary>Pages that reclaim is asked for at a time.</summary>
    private const int ReclaimBatch = 32;

    /// <summary>How often an allocation has pages reclaimed before it gives up: others may be faster to take them.</summary>
    private const int ReclaimRounds = 8;

    private readonly FrameAllocator _allocator;
    private readonly MemoryGroup[] _groups;

    /// <param name="memory">The frames.</param>
    /// <param name="groups">The control groups; the one with id <c>n</c> at position <c>n - 1</c>.</param>
    public FolioPool(PhysicalMemory memory, MemoryGroup[] groups)
    {
        Memory = memory;
        _groups = groups;
        _allocator = new FrameAllocator(memory);
        Lru = new LruLists(memory);
    }

    public PhysicalMemory Memory { get; }

    public LruLists Lru { get; }

    /// <summary>Frees pages, up to a number, and tells whether it freed any. Set once, by the layer that knows how.</summary>
    public Func<int, bool>? Reclaim { get; set; }

    /// <summary>Takes a huge page of the pool whose last reference is gone. Set once, by the pool.</summary>
    public Action<Folio>? ReturnHugetlb { get; set; }

    /// <summary>Told after each charge how many pages are charged then; null if nobody wants to know. Set once.</summary>
    public Action<long>? Charged { get; set; }

    public Folio ZeroFolio => _allocator.ZeroFolio;

    public uint AvailableFrames => _allocator.AvailableFrames;

    /// <summary>Allocates a folio, charged to the group, with one reference. The bytes are undefined.</summary>
    /// <returns>The null folio if the group is full or there is no memory.</returns>
    public Folio Allocate(MemoryGroup group, int order = 0)
    {
        Folio folio = AllocateOnce(group, order);
        for (int round = 0; folio.IsNull && round < ReclaimRounds && Reclaim is not null && Reclaim(ReclaimBatch); round++)
        {
            folio = AllocateOnce(group, order);
        }

        return folio;
    }

    /// <summary>Allocates a huge folio, zeroed and up to date, if that takes no reclaim: small pages do as well.</summary>
    public Folio TryAllocateHuge(MemoryGroup group)
    {
        Folio folio = AllocateOnce(group, PhysicalMemory.HugeOrder);
        if (!folio.IsNull)
        {
            Clear(folio);
        }

        return folio;
    }

    private Folio AllocateOnce(MemoryGroup group, int order)
    {
        if (!group.TryCharge(1 << order))
        {
            return default;
        }

        Folio folio = _allocator.Allocate(order);
        if (folio.IsNull)
        {
            group.Uncharge(1 << order);
            return default;
        }

        folio.Record->Group = group.Id;
        Charged?.Invoke(group.ChargedPages);
        return folio;
    }

    /// <summary>Allocates a folio that is charged to nobody: what is set aside for hugetlb.</summary>
    /// <returns>The null folio if there is no memory.</returns>
    public Folio AllocateUncharged(int order) => _allocator.Allocate(order);

    /// <summary>As <see cref="Allocate"/>, filled with zeroes and up to date.</summary>
    public Folio AllocateZeroed(MemoryGroup group, int order = 0)
    {
        Folio folio = Allocate(group, order);
        if (!folio.IsNull)
        {
            Clear(folio);
        }

        return folio;
    }

    /// <summary>Allocates one zeroed frame for a page table. Tables are charged to nobody.</summary>
    /// <returns>Its number, or zero if there is no memory.</returns>
    public uint AllocateTable()
    {
        Folio folio = _allocator.Allocate(0);
        if (folio.IsNull && Reclaim is not null && Reclaim(ReclaimBatch))
        {
            folio = _allocator.Allocate(0);
        }

        if (folio.IsNull)
        {
            return 0;
        }

        NativeMemory.Clear(Memory.BytesAt(folio.Number), (nuint)PageSize.Small);
        folio.Record->Flags = (int)FolioFlags.Table;
        return folio.Number;
    }

    public void FreeTable(uint number) => Put(new Folio(Memory.FrameAt(number)));

    /// <summary>Gives a reference back; the last one frees the folio.</summary>
    public void Put(Folio folio, int count = 1)
    {
        Seam.Touch((nint)(&folio.Record->RefCount), TouchKind.Add);
        if (Interlocked.Add(ref folio.Record->RefCount, -count) == 0)
        {
            Release(folio);
        }
    }

    /// <summary>The address of the first byte of a folio.</summary>
    public byte* BytesOf(Folio folio) => Memory.BytesAt(folio.Number);

    private void Clear(Folio folio)
    {
        NativeMemory.Clear(Memory.BytesAt(folio.Number), (nuint)PageSize.Small << folio.Order);
        folio.Record->Flags = (int)FolioFlags.UpToDate;
    }

    private void Release(Folio folio)
    {
        if (folio.Has(FolioFlags.Hugetlb))
        {
            ReturnHugetlb!(folio);
            return;
        }

        if (folio.Has(FolioFlags.Lru))
        {
            Lru.TryIsolate(folio);
        }

        int group = folio.Record->Group;
        if (group != 0)
        {
            _groups[group - 1].Uncharge(folio.FrameCount);
        }

        _allocator.Free(folio);
    }
}
